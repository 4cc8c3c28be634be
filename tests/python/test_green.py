"""polynats.green, in gevent's loop. The verbs as such are held to the conformance cases
(driver_green.py); here is what is of gevent: greenlets, Timeout, kill."""

import gc
import os
import random
import socket
import threading
import time
import warnings

import polynats
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # gevent's own imports warn
    gevent = pytest.importorskip("gevent")
    from polynats import green

TICKS = 10  # of a greenlet beside: so many show that it runs
LONG_S = 10  # a call that kept the hub for itself would take that long
SILENT = "_polynats.silent"


@pytest.fixture
def connect_green():
    made = []

    def connect(*args, **options):
        made.append(green.connect(*args, **options))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.fixture
def nc(connect_green):
    return connect_green()


@pytest.fixture
def ticks():
    """Grows by one each ms while the loop is free."""
    ticks = []

    def tick():
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.001)

    ticker = gevent.spawn(tick)
    yield ticks
    ticker.kill()


def lets_others_run(ticks, call):
    """The call waits, and meanwhile the others run: if it did not let them, it would be over before."""
    ticks.clear()
    waiting = gevent.spawn(call)
    while len(ticks) <= TICKS:
        gevent.sleep(0.001)
    assert not waiting.ready()
    waiting.kill()


def test_others_run_while_it_asks_what_the_server_can_do(nc, subject, ticks):
    """What answers is in the same hub: who waited in its place would wait for ever."""

    def tell(msg):
        gevent.sleep(0.2)
        msg.respond(b'{"api":{"level":4}}')

    asked = nc.subscribe(f"{subject}.API.INFO")
    stored = nc.subscribe(f"{subject}.a")
    server = [
        gevent.spawn(lambda: [tell(msg) for msg in asked]),
        gevent.spawn(lambda: [msg.respond(b'{"stream":"S","seq":1}') for msg in stored]),
    ]
    for way in (
        lambda js: js.publisher().publish(f"{subject}.a", b"x", ttl=60),
        lambda js: js.publisher().publish(f"{subject}.a", headers={"Nats-TTL": "60s"}),
        lambda js: js.fast_publisher(),
    ):
        ticks.clear()
        way(nc.jetstream(prefix=f"{subject}.API", timeout=LONG_S))
        assert len(ticks) > TICKS
    gevent.killall(server)


def test_jetstream_lets_others_run(nc, subject, ticks):
    js = nc.jetstream()
    stream = js.create_stream(name=f"g{os.getpid()}", subjects=[subject], storage="memory")
    jobs = [gevent.spawn(js.publish, subject, str(i)) for i in range(50)]
    assert sorted(job.get(5).seq for job in jobs) == list(range(1, 51))
    with js.publisher(max_pending=4) as publisher:
        publisher.publish_many(subject, [b"x"] * 100)
    assert publisher.stats()["acked"] == 100
    c = stream.create_consumer(durable_name="c")
    batch = c.fetch(10, wait=5)
    batch[0].ack_sync(5)
    with pytest.raises(polynats.Invalid, match="acknowledged already"):
        batch[0].ack()
    assert nc.ack_many(batch) == 9
    seen = []
    with c.consume(lambda msg: (msg.ack(), seen.append(msg.metadata.stream_seq))):
        while len(seen) < 140:
            gevent.sleep(0.01)
    assert seen == list(range(11, 151))
    lets_others_run(ticks, lambda: c.fetch(1, wait=LONG_S))
    stream.delete()


def test_the_same_verbs(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish(subject, b"one", headers={"Lang": ["en", "fr"]})
    msg = sub.next(5)
    assert (msg.subject, msg.data, msg.headers) == (subject, b"one", {"Lang": ["en", "fr"]})
    assert nc.publish_many(subject, [b"x"] * 1000) == 1000
    got = []
    while len(got) < 1000:
        got += nc.get(wait=5)
    assert sub.next(0) is None
    assert nc.get(wait=0) == []
    assert 0 < nc.rtt() < 5
    assert nc.next_event(5).type == "connected"
    with pytest.raises(polynats.NoResponders):
        nc.request(subject + ".nobody")
    with pytest.raises(polynats.Invalid):
        nc.publish("not a subject")
    with green.connect() as other, other.share() as third:
        third.flush()
    assert other.closed and third.closed
    with pytest.raises(polynats.Closed):
        other.publish(subject)


def test_no_thread():
    before = len(os.listdir("/proc/self/task"))
    with green.connect() as nc:
        nc.flush()
        assert len(os.listdir("/proc/self/task")) == before


def test_others_run_while_one_waits(nc, subject, ticks):
    sub = nc.subscribe(subject)
    nc.subscribe(SILENT, callback=lambda _: None)
    nc.next_event(0)
    for wait in (
        lambda: sub.next(LONG_S),
        lambda: sub.get(wait=LONG_S),
        lambda: nc.get(wait=LONG_S),
        lambda: nc.next_event(LONG_S),
        lambda: nc.run(LONG_S),
        lambda: nc.request(SILENT, timeout=LONG_S),
    ):
        lets_others_run(ticks, wait)
    for wait in (sub.next, nc.next_event, nc.run):
        assert not wait(0.01)
    with pytest.raises(polynats.Timeout):
        nc.request(SILENT, timeout=0.01)


def test_others_run_while_one_connects(ticks):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = "127.0.0.1:%d" % mute.getsockname()[1]
        with pytest.raises(polynats.Timeout):
            green.connect(url, connect_timeout=0.1)
        lets_others_run(ticks, lambda: green.connect(url, connect_timeout=LONG_S))
        with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
            green.connect(url)


def test_others_run_while_one_finds_all_it_wants(nc, subject, ticks):
    sub = nc.subscribe(subject)
    until = time.monotonic() + LONG_S
    ticks.clear()

    def flood():
        while len(ticks) <= TICKS and time.monotonic() < until:
            nc.publish(subject, b"x")
        nc.publish(subject, b"")

    def eat():
        for msg in sub:
            if not msg.data:
                return

    gevent.joinall([gevent.spawn(flood), gevent.spawn(eat)], timeout=20, raise_error=True)
    assert time.monotonic() < until


@pytest.mark.parametrize("verb", ["next", "get", "client_get", "iterate"])
def test_kill_and_timeout_lose_nothing(nc, connect_green, subject, verb):
    count = 1500
    got = []
    sub = nc.subscribe(subject)
    nc.flush()
    feeder = connect_green()

    def feed():
        for number in range(count):
            feeder.publish(subject, str(number))
            if number % 7 == 0:
                gevent.sleep(random.random() / 2000)
        feeder.flush()

    def take():
        if verb == "next":
            got.append(sub.next())
        elif verb == "get":
            got.extend(sub.get())
        elif verb == "client_get":
            got.extend(nc.get(max=3))
        else:
            for msg in sub:
                got.append(msg)

    feeding = gevent.spawn(feed)
    while len(got) < count:
        if random.random() < 0.5:
            taking = gevent.spawn(take)
            gevent.sleep(random.random() / 2000)
            taking.kill()
        else:
            with gevent.Timeout(random.random() / 2000, False):
                take()
    feeding.get()
    assert [int(msg.data) for msg in got] == list(range(count))


def test_requests_at_once(nc, connect_green, subject):
    def answer(msg):
        gevent.sleep(0)
        msg.respond(msg.data[::-1])

    nc.subscribe(subject, callback=answer)
    nc.flush()
    asker = connect_green()
    asked = [gevent.spawn(asker.request, subject, f"{n:05}", timeout=20) for n in range(300)]
    gevent.joinall(asked, raise_error=True)
    assert [job.value.data for job in asked] == [f"{n:05}"[::-1].encode() for n in range(300)]


def test_futures_and_many(nc, subject):
    service = nc.subscribe(subject)
    future = nc.request_start(subject, b"?", timeout=9)
    with pytest.raises(polynats.Timeout) as told:
        future.wait(0.02)
    assert told.value.about == "wait" and not future.done()
    service.next(5).respond(b"!")
    assert future.wait().data == b"!"

    def answer(msg):
        for number in range(5):
            msg.respond(str(number))

    nc.subscribe(subject + ".many", callback=answer)
    some = nc.request_many(subject + ".many", max=3, timeout=5)
    assert [msg.data for msg in some] == [b"0", b"1", b"2"]
    with nc.request_many_start(subject + ".many", stall=0.1, timeout=5) as replies:
        assert [msg.data for msg in replies] == [b"0", b"1", b"2", b"3", b"4"]


def test_callbacks_wait_and_drain(nc, connect_green, subject):
    got = []

    def slow(msg):
        gevent.sleep(0.0001)
        got.append(int(msg.data))

    nc.subscribe(subject, callback=slow)
    for number in range(300):
        nc.publish(subject, str(number))
    nc.drain()
    assert got == list(range(300)) and nc.closed


def test_a_failing_callback_stops_nothing(nc, subject, monkeypatch):
    reported, got = [], []
    monkeypatch.setattr(
        gevent.get_hub(), "handle_error", lambda _, kind, value, trace: reported.append(str(value))
    )

    def fail(msg):
        got.append(msg)
        raise ValueError("on purpose")

    nc.subscribe(subject, callback=fail)
    for _ in range(3):
        nc.publish(subject)
    nc.drain()
    assert len(got) == 3 and reported == ["on purpose"] * 3


def test_close_wakes_all_that_wait(nc, subject):
    sub = nc.subscribe(subject)
    nc.subscribe(SILENT, callback=lambda _: None)
    calls = (sub.next, sub.get, nc.get, lambda: nc.request(SILENT, timeout=30))
    told = []

    def wait(call):
        try:
            call()
        except polynats.Closed:
            told.append(call)

    jobs = [gevent.spawn(wait, call) for call in calls]
    jobs.append(gevent.spawn(lambda: [msg for msg in sub]))
    gevent.sleep(0.02)
    nc.close()
    gevent.joinall(jobs, timeout=5, raise_error=True)
    assert set(told) == set(calls)


def test_what_nobody_takes_lets_the_loop_sleep(nc, subject):
    nc.subscribe(subject)
    for _ in range(10):
        nc.publish(subject)
    nc.flush()
    began = time.process_time()
    gevent.sleep(0.3)
    assert time.process_time() - began < 0.1
    assert len(nc.get(wait=1)) == 10


def test_of_another_hub(nc):
    told = []

    def use():
        try:
            nc.get(wait=1)
        except RuntimeError as problem:
            told.append(str(problem))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join(10)
    assert told == ["this client belongs to another thread's hub"]


def test_a_forgotten_client_warns():
    nc = green.connect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del nc
        gc.collect()
    assert ["unclosed <polynats.green.Client connected>"] == [str(w.message) for w in told]
