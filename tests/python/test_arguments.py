"""Bad input: an error of the right class that names the argument; never a crash, never a truncation."""

import copy
import math
import pickle

import polynats
import pytest


@pytest.fixture
def sub(nc, subject):
    return nc.subscribe(subject)


@pytest.fixture
def received(nc, subject, sub):
    nc.publish(subject, b"x", reply="inbox", headers={"A": "b"})
    return sub.next(5)


# ---- wrong types ----


@pytest.mark.parametrize(
    ("verb", "args", "words"),
    [
        ("publish", (1,), "subject must be str, not int"),
        ("publish", (b"a",), "subject must be str, not bytes"),
        ("publish", ("a", 1), "data must be bytes-like or str, not int"),
        ("publish", ("a", ["x"]), "data must be bytes-like or str, not list"),
        ("publish", ("a", b"", 1), "reply must be str, not int"),
        ("publish", ("a", b"", None, 1), "headers must be a mapping or pairs, not int"),
        ("publish", ("a", b"", None, "text"), "headers must be a mapping, or pairs"),
        ("publish", ("a", b"", None, ["ab"]), "headers must be a mapping, or pairs"),
        ("publish", ("a", b"", None, [("a", "b", "c")]), "headers must be a mapping, or pairs"),
        ("publish", ("a", b"", None, {1: "b"}), "header key must be str or bytes, not int"),
        ("publish", ("a", b"", None, {"a": 1}), "header value must be str or bytes, not int"),
        (
            "publish",
            ("a", b"", None, {"a": None}),
            "header value must be str or bytes, not NoneType",
        ),
        (
            "publish",
            ("a", b"", None, {"a": ["x", 1]}),
            "header value must be str or bytes, not int",
        ),
        ("publish_many", ("a", b"bytes"), "datas must be a list of payloads, not bytes"),
        ("publish_many", ("a", "text"), "datas must be a list of payloads, not str"),
        ("publish_many", ("a", 1), "not iterable"),
        ("publish_many", ("a", [b"", 1]), r"datas\[1\] must be bytes-like or str, not int"),
        ("publish_many", (1, []), "subject must be str, not int"),
        ("request", (1,), "subject must be str"),
        ("request", ("a", 1), "data must be bytes-like or str"),
        ("request", ("a", b"", "1"), "timeout must be a number of seconds or None, not str"),
        ("request_start", ("a", 1), "data must be bytes-like or str"),
        ("request_many", ("a", 1), "data must be bytes-like or str"),
        ("get", ("1",), "max must be int, not str"),
        ("get", (1.5,), "max must be int, not float"),
        ("get", (1, "1"), "wait must be a number of seconds or None, not str"),
        ("dispatch", ("1",), "max must be int, not str"),
        ("flush", ("1",), "timeout must be a number of seconds or None, not str"),
        ("rtt", ("1",), "timeout must be a number"),
        ("drain", ("1",), "timeout must be a number"),
        ("run", ("1",), "timeout must be a number"),
        ("next_event", ("1",), "wait must be a number"),
        ("subscribe", (1,), "subject must be str, not int"),
        ("subscribe", ("a", 1), "queue must be str, not int"),
        ("subscribe", ("a", None, None, 1), "callback must be callable, not int"),
        ("unsubscribe", (1.5,), "subject must be str, not float"),
        ("unsubscribe", ("a", "b"), "after must be int, not str"),
        ("on_event", (1,), "function must be callable, not int"),
    ],
)
def test_wrong_types(nc, verb, args, words):
    with pytest.raises(TypeError, match=words):
        getattr(nc, verb)(*args)
    assert nc.status == "connected"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max": "1"}, "max must be int"),
        ({"pending_msgs": "1"}, "pending_msgs must be int"),
        ({"pending_bytes": 1.0}, "pending_bytes must be int"),
    ],
)
def test_wrong_types_of_subscribe(nc, options, words):
    with pytest.raises(TypeError, match=words):
        nc.subscribe("a", **options)


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        ((5,), {}, "url must be a str or a list of them, not int"),
        ((["nats://a", 5],), {}, r"url\[1\] must be a str, not int"),
        ((b"nats://a",), {}, "url must be a str or a list of them, not bytes"),
        ((), {"name": []}, "option 'name' must be str, bool or a number, not list"),
        ((), {"name": b"x"}, "option 'name' must be"),
    ],
)
def test_wrong_types_of_connect(args, options, words):
    with pytest.raises(TypeError, match=words):
        polynats.connect(*args, **options)


def test_wrong_types_of_the_rest(nc, sub, received):
    with pytest.raises(TypeError, match="timeout must be a number"):
        sub.next("1")
    with pytest.raises(TypeError, match="timeout must be a number"):
        next(sub.messages("1"))
    with pytest.raises(TypeError, match="key must be str, not bytes"):
        received.header(b"A")
    with pytest.raises(TypeError, match="data must be bytes-like or str"):
        received.respond(1)
    with pytest.raises(TypeError, match="headers must be"):
        received.respond(b"", 1)
    with nc.request_start("a") as future, pytest.raises(TypeError, match="timeout must be"):
        future.wait("1")
    with pytest.raises(TypeError, match="subject must be str"):
        polynats.subject.valid(1)
    with pytest.raises(TypeError, match="pattern must be str"):
        polynats.subject.matches(None, "a")
    assert sub.set_limits(1, -1) is None
    with pytest.raises(TypeError, match="pending_msgs must be int"):
        sub.set_limits("1", 1)


# ---- wrong arity, unknown keywords ----


@pytest.mark.parametrize(
    ("verb", "args", "options", "words"),
    [
        ("publish", (), {}, "missing the argument 'subject'"),
        ("publish", ("a", b"", None, None, 1), {}, "at most 4 arguments"),
        ("publish", ("a",), {"heders": {}}, "unexpected keyword argument 'heders'"),
        ("publish", ("a",), {"subject": "b"}, "multiple values for argument 'subject'"),
        ("publish_many", ("a",), {}, "missing the argument 'datas'"),
        ("get", (1, 2, 3), {}, "from 1 to 3 positional arguments"),
        ("get", (), {"timeout": 1}, "unexpected keyword argument 'timeout'"),
        ("request", (), {"tmeout": 1}, "tmeout"),
        ("subscribe", ("a",), {"que": "x"}, "que"),
        ("subscribe", (), {}, "subject"),
        ("close", (1,), {}, "positional argument"),
    ],
)
def test_wrong_arity(nc, verb, args, options, words):
    with pytest.raises(TypeError, match=words):
        getattr(nc, verb)(*args, **options)


def test_unknown_options_name_the_nearest():
    for value in ("x", None, 1):
        with pytest.raises(polynats.Invalid, match="nmae.*name") as error:
            polynats.connect(nmae=value)
        assert error.value.about == "nmae"
    with pytest.raises(polynats.Invalid, match="reconect.*reconnect"):
        polynats.proto(reconect=True)


# ---- wrong values ----


@pytest.mark.parametrize("seconds", [-1, -0.001, math.nan, -math.inf])
def test_wrong_times(nc, sub, seconds):
    for call in (
        nc.get,
        nc.flush,
        nc.rtt,
        nc.drain,
        nc.next_event,
        nc.run,
        nc.dispatch,
        sub.next,
        sub.get,
        nc.request,
    ):
        name = "wait" if call in (nc.get, nc.next_event, nc.dispatch, sub.get) else "timeout"
        args = ("a",) if call == nc.request else ()
        with pytest.raises(polynats.Invalid, match=f"{name} must be 0 seconds or more") as error:
            call(*args, **{name: seconds})
        assert error.value.about == name
    assert nc.status == "connected"


def test_endless_times(nc, subject):
    sub = nc.subscribe(subject, max=1)
    nc.publish(subject, b"x")
    assert sub.next(math.inf).data == b"x"
    nc.flush(1e300)
    nc.flush(10**30)


@pytest.mark.parametrize(
    ("verb", "args", "about"),
    [
        ("get", (0,), "max"),
        ("get", (-1,), "max"),
        ("get", (2**70,), "max"),
        ("dispatch", (0,), "max"),
        ("dispatch", (-1,), "max"),
        ("unsubscribe", (12345,), "sid"),
        ("unsubscribe", (-1,), "sid"),
        ("unsubscribe", (2**70,), "sid"),
        ("publish", ("",), "subject"),
        ("publish", ("a b",), "subject"),
        ("publish", ("a.*",), "subject"),
        ("publish", ("a", b"", "b c"), "reply"),
        ("publish", ("a", b"", None, {"": "x"}), None),
        ("publish", ("a", b"", None, {"a:b": "x"}), None),
        ("subscribe", ("a..b",), "subject"),
        ("subscribe", ("a", "q q"), "queue"),
    ],
)
def test_wrong_values(nc, verb, args, about):
    with pytest.raises(polynats.Invalid) as error:
        getattr(nc, verb)(*args)
    assert error.value.about == about or about is None


def test_wrong_values_of_the_rest(nc, sub, subject):
    for options in ({"max": -1}, {"pending_msgs": 0}, {"pending_bytes": 0}, {"max": 2**64}):
        with pytest.raises(polynats.Invalid) as error:
            nc.subscribe("a", **options)
        assert error.value.about in options
    for url in ([], "nats://", "http://a", "nats://a:99999", "nats://a:b"):
        with pytest.raises(polynats.Invalid):
            polynats.connect(url)
    for options in (
        {"connect_timeout": -1},
        {"name": 1.5},
        {"reconnect": "perhaps"},
        {"max_pings_out": 0},
        {"ping_interval": "5 parsecs"},
    ):
        with pytest.raises(polynats.Invalid) as error:
            polynats.connect(**options)
        assert error.value.about in options
    nc.publish(subject, b"")
    with pytest.raises(polynats.Invalid, match="no reply subject"):
        sub.next(5).respond(b"")


TEXTS = ["a\0b", "a\r\nPUB b 0", "a\udcffb", "\ud800", "a\tb", "a\x7f", "", "x" * 70_000]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:12])
def test_odd_bytes_in_every_text(nc, text, received):
    calls = {
        "publish": lambda: nc.publish(text),
        "many": lambda: nc.publish_many(text, [b""]),
        "subscribe": lambda: nc.subscribe(text),
        "request": lambda: nc.request(text),
        "start": lambda: nc.request_start(text),
        "several": lambda: nc.request_many(text),
        "key": lambda: nc.publish("a", headers={text: "b"}),
        "url": lambda: polynats.connect(f"nats://{text}"),
        "option": lambda: polynats.connect(inbox_prefix=text),
        "proto": lambda: polynats.proto().publish(text),
        "pattern": lambda: polynats.proto().subscribe(text),
    }
    if text != "":  # absent
        calls["reply"] = lambda: nc.publish("a", reply=text)
        calls["queue"] = lambda: nc.subscribe("a", text)
        calls["name"] = lambda: polynats.connect(name=text)
        calls["proto reply"] = lambda: polynats.proto().publish("a", reply=text)
    for name, call in calls.items():
        if len(text) > 1000 and name in ("key", "url"):
            continue  # a long key is a large message, a long URL is a name that is not found
        with pytest.raises(polynats.Invalid):
            call()
            pytest.fail(name)
    assert nc.status == "connected"
    assert polynats.subject.valid(text) is False
    assert polynats.subject.valid_pattern(text) is False
    assert polynats.subject.matches(text, "a") is False
    assert received.header(text) is None


@pytest.mark.parametrize("text", ["a\0b", "a\r\nB: c", "\ud800", "a\nb"], ids=ascii)
def test_odd_bytes_in_header_values(nc, text):
    with pytest.raises(polynats.Invalid):
        nc.publish("a", headers={"A": text})
    with pytest.raises(polynats.Invalid):
        nc.publish("a", headers={"A": ["fine", text]})


def test_oversize_payloads(nc, sub, subject):
    size = nc.max_payload
    for call in (
        lambda: nc.publish(subject, bytes(size + 1)),
        lambda: nc.request(subject, bytes(size + 1)),
        lambda: nc.publish(subject, bytes(size), headers={"A": "b"}),
        lambda: nc.request_start(subject, bytes(size + 1)),
    ):
        with pytest.raises(polynats.MaxPayload):
            call()
    with pytest.raises(polynats.MaxPayload) as error:
        nc.publish_many(subject, [b"1", b"2", bytes(size + 1), b"4"])
    assert error.value.published == 2
    assert [msg.data for msg in sub.messages(0.2)] == [b"1", b"2"]


# ---- what cannot be ----


KINDS = [polynats.Client, polynats.Subscription, polynats.Future, polynats.Proto, polynats.Message]


@pytest.mark.parametrize("kind", KINDS)
def test_objects_come_from_verbs_only(kind):
    with pytest.raises(TypeError):
        kind()
    with pytest.raises(TypeError):
        kind.__new__(kind)
    with pytest.raises(TypeError):
        object.__new__(kind)


def test_nothing_is_copied_or_pickled(nc, sub, received):
    with nc.request_start("a") as future:
        for thing in (nc, sub, future, received, polynats.proto()):
            with pytest.raises(TypeError):
                pickle.dumps(thing)
            with pytest.raises(TypeError):
                copy.copy(thing)


def test_a_wrong_self(nc, sub):
    with pytest.raises(TypeError):
        polynats.Client.publish(sub, "a")
    with pytest.raises(TypeError):
        polynats.Client.flush(sub)
    with pytest.raises((TypeError, AttributeError)):
        polynats.Subscription.next(nc)
    with pytest.raises(TypeError):
        polynats.Message.header(nc, "A")


def test_payloads_that_raise(nc):
    class Odd(list):
        def __iter__(self):
            raise LookupError("odd")

    with pytest.raises(LookupError):
        nc.publish_many("a", Odd())
    released = memoryview(b"x")
    released.release()
    with pytest.raises(ValueError, match="released"):
        nc.publish("a", released)

    class Mapping:
        def items(self):
            raise LookupError("no items")

        def __getitem__(self, key):
            return key

    with pytest.raises(LookupError, match="no items"):
        nc.publish("a", headers=Mapping())


def test_numbers_too_large_for_a_double(nc):
    with pytest.raises(polynats.Invalid, match="request_timeout"):
        polynats.connect(request_timeout=10**400)
    with pytest.raises(polynats.Invalid, match="wait is too large"):
        nc.get(wait=10**400)
    with pytest.raises(polynats.Invalid, match="now must be"):
        polynats.proto("nats://a").start(10**400)
