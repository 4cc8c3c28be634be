"""What a Python user expects beyond the verbs, which the conformance suite tests."""

import inspect
import itertools
import logging
import os
import pickle
import select
import shutil
import subprocess
import sys
import threading
import time

import polynats
import pytest


def test_leaving_a_block_closes(subject):
    with polynats.connect(name="demo") as nc:
        assert nc.status == "connected"
        assert not nc.closed
    assert nc.closed
    nc.close()
    with pytest.raises(RuntimeError), polynats.connect() as other:
        raise RuntimeError
    assert other.closed


def test_the_lines_of_the_readme(nc, subject):
    nc.subscribe(f"{subject}.*", queue="workers")
    nc.publish(f"{subject}.joe", b"hello", headers={"Lang": ["en", "fr"], "One": "1"})
    (msg,) = nc.get(max=100, wait=5)
    assert (msg.subject, msg.data, msg.reply) == (f"{subject}.joe", b"hello", None)
    assert msg.header("Lang") == "en"
    assert msg.header("lang") is None
    assert msg.headers == {"Lang": ["en", "fr"], "One": ["1"]}
    assert msg.header_pairs == (("Lang", "en"), ("Lang", "fr"), ("One", "1"))
    assert msg.raw_headers == b"NATS/1.0\r\nLang: en\r\nLang: fr\r\nOne: 1\r\n\r\n"
    assert (msg.status, msg.description) == (None, None)
    assert msg.sid == 1
    assert repr(msg) == f"<polynats.Message '{subject}.joe', 5 bytes>"


def test_a_message_without_headers(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish(subject)
    msg = sub.next(5)
    assert (msg.data, msg.headers, msg.header_pairs, msg.raw_headers) == (b"", {}, (), None)
    assert msg.header("A") is None


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"memoryview"),
        memoryview(b"abcdef")[::2],
        "str \N{LATIN SMALL LETTER E WITH ACUTE}",
        None,
        bytes(range(256)),
        b"x" * 300_000,
    ],
    ids=lambda data: type(data).__name__,
)
def test_payloads(nc, subject, data):
    sub = nc.subscribe(subject)
    nc.publish(subject, data)
    assert nc.publish_many(subject, [data] if data is not None else [b""]) == 1
    wanted = data.encode() if isinstance(data, str) else bytes(data or b"")
    got = [sub.next(5).data for _ in range(2)]
    assert got == [wanted, wanted]
    assert type(got[0]) is bytes


def test_publish_many_takes_any_iterable(nc, subject):
    sub = nc.subscribe(subject)
    assert nc.publish_many(subject, (f"{i}" for i in range(1000))) == 1000
    assert nc.publish_many(subject, ()) == 0
    assert nc.publish_many(subject, [bytearray(b"a"), "b", b"c"]) == 3
    got = [msg.data for msg in itertools.islice(sub, 1003)]
    assert got == [b"%d" % i for i in range(1000)] + [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "1", "B": ["2", "3"]},
        [("A", "1"), ("B", "2"), ("B", "3")],
        {"A": b"1", "B": ("2", b"3")},
        (("A", "1"), ("B", ["2", "3"])),
    ],
)
def test_ways_to_write_headers(nc, subject, headers):
    sub = nc.subscribe(subject)
    nc.publish(subject, headers=headers)
    assert sub.next(5).header_pairs == (("A", "1"), ("B", "2"), ("B", "3"))


def test_headers_that_came_can_be_sent_on(nc, subject):
    """Bytes that are no UTF-8 come as surrogates, and go as the bytes they were."""
    sub = nc.subscribe(subject)
    nc.publish(subject, headers={"K": b"caf\xe9"})
    msg = sub.next(5)
    assert msg.header("K") == "caf\udce9"
    nc.publish(subject, headers=msg.headers)
    assert sub.next(5).raw_headers == b"NATS/1.0\r\nK: caf\xe9\r\n\r\n"


def test_what_is_read_from_a_message_is_the_programs_own(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish(subject, headers={"A": "1"})
    msg = sub.next(5)
    msg.headers["A"].append("2")
    assert msg.headers == {"A": ["1"]}
    with pytest.raises(AttributeError):
        msg.data = b""


def test_a_subscription_is_iterable(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish_many(subject, [b"0", b"1", b"2"])
    assert [msg.data for msg in itertools.islice(sub, 2)] == [b"0", b"1"]
    assert [msg.data for msg in sub.messages(timeout=0.1)] == [b"2"]
    assert nc.get(wait=0) == []
    assert repr(sub) == f"<polynats.Subscription '{subject}' sid={sub.sid}>"
    grouped = nc.subscribe(subject, "g")
    assert (grouped.queue, sub.queue) == ("g", None)
    assert repr(grouped).endswith("queue='g'>")


def test_an_iterator_ends_with_the_subscription(nc, subject):
    sub = nc.subscribe(subject, max=2)
    nc.publish_many(subject, [b"x"] * 3)
    assert len(list(sub)) == 2
    assert not sub.active
    with nc.subscribe(subject) as other:
        assert other.active
    assert not other.active


def test_the_client_belongs_to_what_it_made(nc, subject):
    sub = nc.subscribe(subject)
    assert sub.client is nc
    with nc.request_start(subject, timeout=5) as future:
        assert future.client is nc
    assert future.done()


def test_share(nc, subject):
    with nc.share() as other:
        other.subscribe(subject)
        nc.publish(subject, b"x")
        assert [msg.data for msg in other.get(wait=5)] == [b"x"]
        assert nc.get(wait=0) == []
    assert nc.status == "connected"


# ---- errors ----


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (polynats.Timeout, TimeoutError),
        (polynats.Closed, ConnectionError),
        (polynats.Disconnected, ConnectionError),
        (polynats.IO, ConnectionError),
        (polynats.TLS, ConnectionError),
        (polynats.Auth, ConnectionError),
        (polynats.Protocol, ConnectionError),
        (polynats.Invalid, ValueError),
        (polynats.MaxPayload, ValueError),
        (polynats.Permission, PermissionError),
        (polynats.NoMemory, MemoryError),
        (polynats.Interrupted, InterruptedError),
        (polynats.Forked, RuntimeError),
        (polynats.NoResponders, polynats.Error),
        (polynats.SlowConsumer, polynats.Error),
        (polynats.Limit, polynats.Error),
        (polynats.NotSupported, polynats.Error),
        (polynats.Server, polynats.Error),
    ],
)
def test_errors_are_one_family_and_kinds_of_pythons_own(kind, base):
    assert issubclass(kind, polynats.Error)
    assert issubclass(kind, base)
    assert kind.__doc__
    copy = pickle.loads(pickle.dumps(kind("text")))
    assert (type(copy), str(copy), copy.code) == (kind, "text", kind.code)


def test_errors_tell_what_they_are_about(nc, subject):
    nc.subscribe(subject)
    with pytest.raises(TimeoutError) as timeout:
        nc.request(subject, timeout=0.05)
    assert isinstance(timeout.value, polynats.Timeout)
    assert (timeout.value.code, timeout.value.about) == ("TIMEOUT", subject)
    with pytest.raises(polynats.NoResponders) as nobody:
        nc.request(f"nobody.{subject}")
    assert nobody.value.code == "NO_RESPONDERS"
    with pytest.raises(ValueError, match="payload"):
        nc.publish(subject, b"x" * (nc.max_payload + 1))
    with pytest.raises(polynats.Invalid, match="nmae.*name") as unknown:
        polynats.connect(nmae="x")
    assert unknown.value.about == "nmae"
    with pytest.raises(polynats.IO):
        polynats.connect("127.0.0.1:1")
    nc.close()
    with pytest.raises(ConnectionError) as closed:
        nc.publish(subject)
    assert closed.value.code == "CLOSED"


def test_a_closed_client(nc, subject):
    sub = nc.subscribe(subject)
    nc.close()
    for call in (
        nc.get,
        nc.flush,
        nc.rtt,
        nc.share,
        nc.process,
        nc.dispatch,
        nc.fd,
        nc.new_inbox,
        nc.drain,
        sub.next,
        sub.get,
        lambda: nc.request(subject),
        lambda: nc.request_start(subject),
        lambda: nc.request_many(subject),
        lambda: nc.publish_many(subject, [b""]),
        lambda: nc.subscribe(subject),
    ):
        with pytest.raises(polynats.Closed):
            call()
    assert list(sub) == []
    nc.run()
    events = []
    with pytest.raises(polynats.Closed):
        while True:
            events.append(nc.next_event(0).type)
    assert events == ["connected", "closed"]
    assert nc.stats()["reconnects"] == 0
    assert nc.server_info()["version"]
    assert (nc.status, sub.active, sub.subject) == ("closed", False, subject)


# ---- callbacks ----


def test_callbacks_run_in_dispatch_and_nowhere_else(nc, subject):
    seen = []
    nc.subscribe(subject, callback=seen.append)
    nc.publish_many(subject, [b"0", b"1", b"2"])
    nc.flush()
    assert seen == []
    assert nc.dispatch(max=1, wait=1) == 1
    assert nc.dispatch() == 2
    assert [msg.data for msg in seen] == [b"0", b"1", b"2"]
    assert nc.dispatch(wait=0) == 0


def test_a_callback_that_raises_leaves_the_rest_for_later(nc, subject):
    seen = []

    def callback(msg):
        seen.append(msg.data)
        if msg.data == b"0":
            raise LookupError("bad")

    nc.subscribe(subject, callback=callback)
    nc.publish_many(subject, [b"0", b"1", b"2"])
    nc.flush()
    with pytest.raises(LookupError, match="bad"):
        nc.dispatch()
    assert seen == [b"0"]
    assert nc.dispatch() == 2
    assert seen == [b"0", b"1", b"2"]


@pytest.mark.parametrize("verb", ["run", "dispatch", "drain"])
def test_what_a_callback_raises_is_told_whatever_it_is(connect, subject, verb):
    """Closed of another client is not the end of this one."""
    nc, other = connect(), connect()
    other.close()
    nc.subscribe(subject, callback=lambda msg: other.publish("a"))
    nc.publish(subject)
    nc.flush()
    with pytest.raises(polynats.Closed):
        getattr(nc, verb)(*([5] if verb != "dispatch" else [None, 5]))


def test_what_a_function_of_events_raises_is_told_too(connect, subject):
    nc, other = connect(), connect()
    other.close()
    while nc.next_event(0):
        pass
    # The event comes after a callback was called.
    nc.subscribe(subject, callback=lambda msg: nc.reconnect())
    nc.on_event(lambda event: other.publish("a"))
    nc.publish(subject)
    nc.flush()
    with pytest.raises(polynats.Closed):
        nc.run(5)
    nc.on_event(None)


def test_run_until_stop(nc, subject, took):
    seen = []

    def callback(msg):
        seen.append(msg.data)
        if msg.data == b"stop":
            nc.stop()

    nc.subscribe(subject, callback=callback)
    nc.publish_many(subject, [b"a", b"stop", b"late"])
    nc.run(10)
    assert seen == [b"a", b"stop"]
    assert nc.dispatch() == 1
    threading.Timer(0.1, nc.stop).start()
    assert took(nc.run) < 5
    assert 0.1 <= took(nc.run, 0.1) < 5


def test_a_callback_may_end_its_subscription_and_its_client(nc, subject):
    seen = []
    sub = nc.subscribe(subject, callback=lambda msg: (seen.append(msg.data), sub.unsubscribe()))
    nc.publish_many(subject, [b"0", b"1"])
    nc.flush()
    nc.dispatch()
    assert seen == [b"0", b"1"]  # what had arrived is delivered
    nc.subscribe(subject, callback=lambda msg: nc.close())
    nc.publish_many(subject, [b"0", b"1"])
    nc.run(5)
    assert nc.closed


def test_drain_calls_what_was_under_way(nc, subject):
    seen = []
    nc.subscribe(subject, callback=lambda msg: seen.append(msg.data))
    nc.publish_many(subject, [b"0", b"1", b"2"])
    nc.drain()
    assert seen == [b"0", b"1", b"2"]
    assert nc.closed


def test_on_event(nc):
    seen = []
    nc.on_event(lambda event: seen.append(event.type))
    nc.run(0.3)
    assert seen == ["connected"]
    nc.on_event(None)


# ---- events, logging ----


def test_events(nc):
    event = nc.next_event(5)
    assert event.type == "connected"
    assert event.url.startswith("nats://127.0.0.1")
    assert (event.lost, event.sid, event.code) == (0, None, None)
    assert abs(polynats.now() - event.time) < 60
    assert repr(event).startswith("<polynats.Event connected nats://")
    assert nc.next_event(0) is None


def test_a_logger_is_told_and_takes_no_events(caplog):
    logger = logging.getLogger("demo.nats")
    with caplog.at_level(logging.INFO, "demo.nats"), polynats.connect(logger=logger) as nc:
        assert nc.next_event(5).type == "connected"
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith("connected nats://")
    assert told[-1].startswith("closed")
    assert all(record.name == "demo.nats" for record in caplog.records)
    assert not [one for one in threading.enumerate() if one.name == "polynats events"]


def test_a_logger_is_told_of_lines_without_secrets(caplog):
    logger = logging.getLogger("demo.trace")
    secret = "hunter2-token"
    with caplog.at_level(1, "demo.trace"):
        with polynats.connect(logger=logger, token=secret, trace=True) as nc:
            nc.publish("traced", b"payload")
            nc.flush()
            nc.reconnect()
            while nc.next_event(5).type != "reconnected":
                pass
    told = [record.getMessage() for record in caplog.records if record.levelno == 5]
    assert "-> PUB traced 7" in told
    assert any(line.startswith("-> CONNECT {") and "***" in line for line in told)
    assert not any(secret in line or "payload" == line for line in told)


# ---- requests ----


@pytest.fixture
def upper(connect, subject):
    """Answers in upper case, by a thread."""
    nc = connect()
    nc.subscribe(
        f"{subject}.upper",
        callback=lambda msg: msg.respond(msg.data.upper(), headers={"Of": "upper"}),
    )
    nc.flush()
    thread = threading.Thread(target=nc.run)
    thread.start()
    yield f"{subject}.upper"
    nc.stop()
    thread.join()


def test_request(nc, upper):
    reply = nc.request(upper, b"abc", timeout=5.0, headers={"A": "b"})
    assert (reply.data, reply.header("Of")) == (b"ABC", "upper")
    with pytest.raises(polynats.Invalid, match="reply"):
        reply.respond(b"")


def test_futures(nc, upper):
    with nc.request_start(upper, b"a", timeout=5) as one, nc.request_start(upper, b"b") as two:
        assert two.wait(5).data == b"B"
        assert one.wait().data == b"A"
        assert (one.done(), repr(one)) == (True, "<polynats.Future done>")
        with pytest.raises(polynats.Closed):
            one.wait()
    with nc.request_start(upper, b"c") as three:
        until = time.monotonic() + 5
        while (reply := three.poll()) is None and time.monotonic() < until:
            nc.get(wait=0.01)
        assert reply.data == b"C"


def test_many_replies(connect, nc, subject):
    for i in range(3):
        helper = connect()
        helper.subscribe(subject, callback=lambda msg, i=i: msg.respond(b"%d" % i))
        helper.flush()
        threading.Thread(target=helper.run).start()
    replies = nc.request_many(subject, max=3, timeout=5)
    assert sorted(msg.data for msg in replies) == [b"0", b"1", b"2"]
    assert len(nc.request_many(subject, stall=0.2, timeout=5)) == 3
    with nc.request_many_start(subject, max=2, timeout=5) as future:
        assert len(list(future)) == 2
        assert list(future) == []
    with pytest.raises(polynats.NoResponders):
        nc.request_many(f"{subject}.nobody")


# ---- event loops ----


def test_a_client_can_be_selected(nc, subject):
    nc.subscribe(subject)
    nc.flush()
    nc.process()
    assert nc.fileno() == nc.fd()
    nc.publish(subject, b"x")
    until = time.monotonic() + 5
    got = []
    while not got and time.monotonic() < until:
        select.select([nc], [], [], min(nc.deadline() or 1, 1))
        nc.process()
        got = nc.get(wait=0)
    assert [msg.data for msg in got] == [b"x"]


# ---- what help() and inspect see ----


def public_things():
    for name in polynats.__all__:
        thing = getattr(polynats, name)
        yield name, thing
        for key in dir(thing) if inspect.isclass(thing) else ():
            part = inspect.getattr_static(thing, key)
            is_slot = type(part).__name__ == "member_descriptor" and thing is not polynats.Message
            if key.startswith("_") or is_slot or isinstance(part, str) or hasattr(OSError, key):
                continue
            yield f"{name}.{key}", part


@pytest.mark.parametrize(("name", "thing"), list(public_things()), ids=lambda part: str(part)[:40])
def test_all_has_a_docstring(name, thing):
    assert inspect.getdoc(thing), name


@pytest.mark.parametrize(
    ("verb", "signature"),
    [
        ("Client.publish", "(self, /, subject, data=None, reply=None, headers=None)"),
        ("Client.publish_many", "(self, /, subject, datas)"),
        ("Client.request", "(self, /, subject, data=None, timeout=None, headers=None)"),
        ("Message.respond", "(self, /, data=None, headers=None)"),
        ("Message.header", "(self, key, /)"),
        ("Proto.take", "(self, /, max=None, now=None)"),
    ],
)
def test_signatures_of_what_is_written_in_c(verb, signature):
    noun, name = verb.split(".")
    assert str(inspect.signature(getattr(getattr(polynats, noun), name))) == signature


def test_all_is_sorted_and_there():
    assert sorted(polynats.__all__) == sorted(set(polynats.__all__))
    assert all(hasattr(polynats, name) for name in polynats.__all__)
    assert polynats.__version__ == polynats.version()
    assert {"name", "interruptible"} <= {option.name for option in polynats.options()}


def test_other_threads_may_use_a_client(nc, subject):
    sub = nc.subscribe(subject)
    got = []

    def take():
        for msg in sub:
            got.append(int(msg.data))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(2000):
        nc.publish(subject, str(i))
    nc.flush()
    sub.drain()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(2000))


@pytest.mark.parametrize(
    ("suffix", "told"),
    [
        (".cpython-30-x86_64-linux-gnu.so", "built for cpython-30-x86_64-linux-gnu"),
        (None, "not built"),
    ],
)
def test_a_module_for_another_python_says_so(tmp_path, suffix, told):
    package = shutil.copytree(os.path.dirname(polynats.__file__), tmp_path / "polynats",
                              ignore=shutil.ignore_patterns("_polynats*.so", "__pycache__"))
    if suffix:
        (package / ("_polynats" + suffix)).write_bytes(b"")
    done = subprocess.run([sys.executable, "-c", "import polynats"], check=False, timeout=20,
                          env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert told in done.stderr.splitlines()[-1]
