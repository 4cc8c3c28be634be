"""Calls that wait let others run, and end when they are told to, without losing a message."""

import inspect
import itertools
import signal
import socket
import sys
import threading
import time

import polynats
import pytest
from conftest import PROMPT_S, held

# Of a message that large one is being written and one waits behind it when as many bytes as two are
# unwritten: then the next one has to wait.
FILLER, NO_ROOM = 130_000, 131_000
WAITS = [
    "connect",
    "get",
    "sub.get",
    "next",
    "for",
    "request",
    "request_many",
    "wait",
    "flush",
    "rtt",
    "drain",
    "next_event",
    "dispatch",
    "run",
    "publish",
    "publish_many",
    "subscribe",
    "unsubscribe",
    "sub.unsubscribe",
]


class Deaf:
    """A server that answers the first PING and then nothing more, nor reads."""

    INFO = (
        b'INFO {"server_id":"DEAF","version":"2.10.0","proto":1,"headers":true,'
        b'"max_payload":1048576}\r\n'
    )

    def __init__(self, hello):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "nats://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.peer = None
        self.thread = threading.Thread(target=self.serve, args=(hello,))
        self.thread.start()

    def serve(self, hello):
        self.peer = self.listener.accept()[0]
        if not hello:
            return
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.peer.sendall(self.INFO)
        seen = b""
        while b"PING\r\n" not in seen:
            seen += self.peer.recv(4096)
        self.peer.sendall(b"PONG\r\n")

    def close(self):
        self.thread.join()
        self.listener.close()
        self.peer.close()


@pytest.fixture
def waiting(nc, subject):
    """waiting(name): a call that would wait for a minute or for ever."""
    others, servers = [], []

    def deaf(hello=True):
        servers.append(Deaf(hello))
        return servers[-1].url

    def quiet():
        others.append(polynats.connect(deaf(), write_deadline=60, request_timeout=60))
        return others[-1]

    def publish_all(verb):
        while True:
            verb()

    def behind_publishes(other, verb):
        """There is no room any more for what the verb has to write."""
        while other.stats()["unwritten_bytes"] < NO_ROOM:
            other.publish("a", b"x" * FILLER)
        publish_all(verb)

    def waiting(name):
        sub = nc.subscribe(f"{subject}.mute")
        nc.subscribe(f"{subject}.called", callback=print)
        nc.flush()
        while nc.next_event(0):
            pass
        asked = f"{subject}.mute"
        if name in ("flush", "rtt", "drain", "publish", "publish_many"):
            other = quiet()
            return {
                "flush": other.flush,
                "rtt": other.rtt,
                "drain": lambda: other.drain(60),
                "publish": lambda: publish_all(lambda: other.publish("a", b"x" * 10_000)),
                "publish_many": lambda: publish_all(
                    lambda: other.publish_many("a", [b"x" * 1000] * 100)
                ),
            }[name]
        if "subscribe" in name:
            other = quiet()
            some, after = other.subscribe("b"), itertools.count(1_000_000)
            verb = {
                "subscribe": lambda: other.subscribe("b" * 1000),
                "unsubscribe": lambda: other.unsubscribe("b", next(after)),
                "sub.unsubscribe": lambda: some.unsubscribe(next(after)),
            }[name]
            return lambda: behind_publishes(other, verb)
        return {
            "connect": lambda: polynats.connect(deaf(False), connect_timeout=60),
            "get": nc.get,
            "sub.get": sub.get,
            "next": sub.next,
            "for": lambda: list(sub),
            "request": lambda: nc.request(asked, timeout=60),
            "request_many": lambda: nc.request_many(asked, timeout=60),
            "wait": lambda: nc.request_start(asked, timeout=60).wait(),
            "next_event": nc.next_event,
            "dispatch": nc.dispatch,
            "run": nc.run,
        }[name]

    yield waiting
    for server in servers:
        server.close()
    for other in others:
        other.close()  # at once: there is no connection any more


@pytest.mark.parametrize("name", WAITS)
def test_ctrl_c_ends_it(waiting, strike, took, nc, name):
    call = waiting(name)
    strike(0.05)

    def interrupted():
        with pytest.raises(KeyboardInterrupt):
            call()

    assert took(interrupted) < 0.05 + PROMPT_S
    assert nc.rtt() > 0


@pytest.mark.parametrize("name", WAITS)
def test_a_handler_that_returns_lets_it_go_on(waiting, handler, strike, took, name):
    seen = []

    def second(*_):
        raise LookupError("enough")

    handler(signal.SIGUSR1, lambda *_: seen.append(1))
    handler(signal.SIGUSR2, second)
    call = waiting(name)
    strike(0.03, signal.SIGUSR1)
    strike(0.06, signal.SIGUSR2, once=lambda: seen)
    with pytest.raises(LookupError):
        call()
    assert seen == [1]


@pytest.mark.parametrize("name", WAITS)
def test_other_threads_run_meanwhile(waiting, strike, name):
    call = waiting(name)
    ticks = []
    over = threading.Event()

    def tick():
        while not over.wait(0.005):
            ticks.append(1)

    ticker = threading.Thread(target=tick)
    ticker.start()
    strike(0.05, once=lambda: len(ticks) > 10)  # which is a thread too
    with pytest.raises(KeyboardInterrupt):
        call()
    ticked = len(ticks)
    over.set()
    ticker.join()
    assert ticked > 10


def test_time_goes_on_over_signals(nc, handler, took):
    """What is left of a wait is waited for after each signal, no more and no less."""
    handler(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        assert 0.3 <= took(nc.get, None, 0.3) < 0.3 + PROMPT_S
        sub = nc.subscribe("mute")
        assert 0.3 <= took(sub.next, 0.3) < 0.3 + PROMPT_S
        with pytest.raises(polynats.Timeout):
            nc.request("mute", timeout=0.3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# ---- nothing is lost ----


class Slow:
    """A server whose every answer takes longer than the time between two signals."""

    DELAY_S = 0.12

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "nats://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.accepted = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            peer = self.listener.accept()[0]
            with peer:
                self.accepted += 1
                time.sleep(self.DELAY_S)
                try:
                    peer.sendall(Deaf.INFO)
                    while data := peer.recv(4096):
                        if b"PUB end " in data:
                            return
                        time.sleep(self.DELAY_S)
                        peer.sendall(b"PONG\r\n" * data.count(b"PING\r\n"))
                except OSError:
                    continue


@pytest.fixture
def beats(handler):
    """A signal each 40 ms, as those of a profiler, whose handler does nothing."""
    handler(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.04, 0.04)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.mark.usefixtures("beats")
@pytest.mark.parametrize("options", [{}, {"token": "t", "ask_credentials": True}])
def test_signals_do_not_make_it_begin_again(connect, options):
    server = Slow()
    nc = connect(server.url, connect_timeout=3, reconnect=False, **options)
    assert server.accepted == 1
    nc.flush(3)
    assert nc.rtt(3) >= Slow.DELAY_S
    nc.publish("end", b"")
    with pytest.raises(polynats.Disconnected):
        nc.flush(3)
    server.thread.join()
    server.listener.close()


def test_callbacks_in_several_threads(connect, nc, subject):
    count = 20_000
    called = [0] * count
    wrong = []

    def call(msg):
        called[int(msg.data)] += 1

    nc.subscribe(subject, callback=call, pending_msgs=-1)
    nc.flush()

    def run():
        try:
            while sum(called) < count:
                nc.dispatch(max=50, wait=0.05)
        except Exception as error:  # told by the assertion
            wrong.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    out = connect()
    out.publish_many(subject, [str(i) for i in range(count)])
    for thread in threads:
        thread.join(20)
    sys.setswitchinterval(interval)
    assert not wrong
    assert called == [1] * count


def test_a_message_before_its_callback_is_known_waits_for_it(nc, subject):
    """Another thread may be in dispatch while this one is in subscribe."""
    seen = []

    class Late(dict):
        def __setitem__(self, sid, entry):
            nc.publish(subject, b"early")
            nc.flush()
            nc.dispatch(wait=0.05)
            super().__setitem__(sid, entry)

    nc._callbacks = Late()
    nc.subscribe(subject, callback=lambda msg: seen.append(msg.data))
    nc.dispatch(wait=5)
    assert seen == [b"early"]


def test_other_threads_run_while_one_of_many_clients_waits():
    """Each client alone publishes too little to look whether the server keeps up."""
    deaf = Deaf(hello=True)
    nc = polynats.connect(deaf.url, write_deadline=1, reconnect=False)
    shared = [nc.share() for _ in range(600)]
    ticks = []
    over = threading.Event()

    def tick():
        while not over.wait(0.01):
            ticks.append(time.monotonic())

    waited = held()
    ticking = threading.Thread(target=tick)
    ticking.start()
    with pytest.raises((polynats.Timeout, polynats.Closed)):  # who notices first
        for client in shared:
            client.publish_many("a", [b"x" * 10_000] * 3)
    over.set()
    ticking.join()
    for client in shared:
        client.close()
    waited = held() - waited
    nc.close()
    deaf.close()
    assert max(after - before for before, after in zip(ticks, ticks[1:])) < 0.5 + waited


class Struck(Exception):
    """Not by an interrupt's own name: it must not end the tests."""


@pytest.fixture
def struck(handler):
    """struck(call): call, struck at by a timer after a random time; whether that hit."""

    def hit(*_):
        raise Struck

    handler(signal.SIGALRM, hit)

    def struck(call, after):
        try:
            signal.setitimer(signal.ITIMER_REAL, after)
            call()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Struck:
            return True
        return False

    yield struck
    signal.setitimer(signal.ITIMER_REAL, 0)


# Before 3.11 the interpreter may run a handler between any two instructions: docs/python.md tells of the gap.
exact = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="a handler may run between any two instructions"
)
TOTAL = 4000
PIECE = 10
STRIKE_S = 0.0002


@exact
@pytest.mark.parametrize("way", ["get", "get all", "sub.get", "next", "for", "dispatch"])
def test_no_message_is_lost(connect, nc, subject, struck, way):
    """A timer strikes anywhere, again and again, while messages are taken."""
    seen = []
    # Written in C: what strikes in a function of Python's has the message that it was called with.
    sub = nc.subscribe(subject, callback=seen.append if way == "dispatch" else None)
    nc.flush()
    out, sent = connect(), 0
    # In one expression: what a call returned is not lost on the way into the list.
    take = {
        "get": lambda: seen.extend(nc.get(50, 0.2)),
        "get all": lambda: seen.extend(nc.get(wait=0.2)),
        "sub.get": lambda: seen.extend(sub.get(50, 0.2)),
        "next": lambda: seen.append(sub.next(0.2)),
        "for": lambda: seen.extend(sub.messages(0.01)),
        "dispatch": lambda: nc.dispatch(wait=0.2),
    }[way]
    hits, until = 0, time.monotonic() + 30
    while (count(seen) < TOTAL or hits == 0) and time.monotonic() < until:
        if sent < TOTAL:
            out.publish_many(subject, [b"%d" % i for i in range(sent, sent + PIECE)])
            sent += PIECE
        hits += struck(take, STRIKE_S)
    got = [int(msg.data) for msg in seen if msg is not None]
    assert sorted(got) == list(range(TOTAL))
    assert hits > 0


def count(seen):
    return sum(msg is not None for msg in seen[-TOTAL:])


@exact
def test_no_event_is_lost(nc, struck, subject):
    """Slow consumers are events that can be had in numbers."""
    wanted = 300
    for i in range(wanted):
        nc.subscribe(f"{subject}.{i}", pending_msgs=1)
    for i in range(wanted):
        nc.publish_many(f"{subject}.{i}", [b"1", b"2"])
    nc.flush()
    seen, hits, until = [], 0, time.monotonic() + 30
    while sum(one is not None for one in seen) < wanted + 1 and time.monotonic() < until:
        hits += struck(lambda: seen.append(nc.next_event(0.2)), STRIKE_S / 10)
    sids = [one.sid for one in seen if one is not None and one.type == "slow_consumer"]
    assert sids == list(range(1, wanted + 1))


@exact
def test_no_reply_is_lost(connect, nc, subject, struck):
    helper = connect()
    helper.subscribe(subject, callback=lambda msg: msg.respond(msg.data))
    helper.flush()
    thread = threading.Thread(target=helper.run)
    thread.start()
    hits = 0
    for i in range(300):
        with nc.request_start(subject, b"%d" % i, timeout=20) as future:
            replies = []
            while not replies:
                hits += struck(lambda f=future, r=replies: r.append(f.wait()), STRIKE_S)
            assert [msg.data for msg in replies] == [b"%d" % i]
    helper.stop()
    thread.join()
    assert hits > 0


class At:
    """A handler that raises at a chosen step of a method of the package, as a signal could."""

    def __init__(self, function, line):
        self.code, self.line = function.__code__, function.__code__.co_firstlineno + line

    def __call__(self, frame, event, arg):
        if frame.f_code is self.code and event == "line" and frame.f_lineno == self.line:
            sys.settrace(None)
            raise Struck
        return self

    def strike(self, call):
        sys.settrace(self)
        try:
            with pytest.raises(Struck):
                call()
        finally:
            sys.settrace(None)


def line_of(function, text):
    lines = inspect.getsource(function).splitlines()
    return next(at for at, line in enumerate(lines) if text in line)


def strike_before_arrival(verb, call):
    """call fails after C has given the messages, and before they are the caller's."""
    At(verb, line_of(verb, "_taken = None")).strike(call)


def datas(messages):
    return [msg.data for msg in messages]


def test_what_did_not_arrive_is_given_first(nc, subject):
    sub, other = nc.subscribe(subject), nc.subscribe(f"{subject}.other")
    nc.publish_many(subject, [b"1", b"2"])
    nc.publish(f"{subject}.other", b"3")
    nc.flush()
    strike_before_arrival(polynats.Client.get, lambda: nc.get(wait=5))
    nc.publish_many(subject, [b"4"])
    nc.flush()
    strike_before_arrival(polynats.Subscription.next, lambda: sub.next(5))  # 1, again
    assert other.next(0).data == b"3"
    assert other.next(0) is None
    strike_before_arrival(polynats.Subscription.get, lambda: sub.get(1, 5))
    strike_before_arrival(polynats.Client.get, lambda: nc.get(1, 5))
    assert datas(nc.get(1, 0)) == [b"1"]
    assert datas(sub.get(1, 0)) == [b"2"]
    assert datas(nc.get(wait=5)) == [b"4"]
    assert nc.get(wait=0) == []


def test_what_an_iterator_did_not_give_is_not_for_others(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish_many(subject, [b"1", b"2"])
    strike_before_arrival(polynats.Subscription.next, lambda: next(iter(sub)))
    assert nc.get(wait=0) == []
    assert datas(sub.messages(0.1)) == [b"1", b"2"]


def test_what_did_not_arrive_ends_with_the_client(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish_many(subject, [b"1", b"2"])
    strike_before_arrival(polynats.Client.get, lambda: nc.get(wait=5))
    nc.close()
    for take in (nc.get, sub.get, sub.next):
        with pytest.raises(polynats.Closed):
            take()


def test_events_and_replies_that_did_not_arrive(nc, subject):
    event = line_of(polynats.Client.next_event, "_event_taken = None")
    At(polynats.Client.next_event, event).strike(lambda: nc.next_event(5))
    assert nc.next_event(0).type == "connected"
    assert nc.next_event(0) is None
    sub = nc.subscribe(subject)
    with nc.request_start(subject, timeout=20) as future:
        sub.next(5).respond(b"x")
        strike_before_arrival(polynats.Future.wait, future.wait)
        assert future.poll().data == b"x"
        with pytest.raises(polynats.Closed):
            future.wait()


# ---- threads ----


def test_close_from_another_thread(nc, subject):
    sub = nc.subscribe(subject)
    for call in (nc.get, sub.next, lambda: nc.request(subject, timeout=20), nc.next_event):
        other = nc.share()
        mine = {
            nc.get: other.get,
            nc.next_event: lambda o=other: [o.next_event() for _ in range(9)],
        }.get(call)
        if mine is None:
            other.close()
            continue
        timer = threading.Timer(0.1, other.close)
        timer.start()
        with pytest.raises(polynats.Closed):
            mine()
        timer.join()
    threading.Timer(0.1, nc.close).start()
    with pytest.raises(polynats.Closed):
        sub.next()


def test_wake(nc, took):
    for call in (nc.get, lambda: nc.next_event() and nc.next_event()):
        timer = threading.Timer(0.1, nc.wake)
        timer.start()
        assert took(call) < 0.1 + PROMPT_S
        timer.join()


def test_a_future_is_for_one_thread_at_a_time(nc, subject):
    sub = nc.subscribe(subject)
    nc.flush()
    future = nc.request_start(subject, timeout=20)
    replies = []
    thread = threading.Thread(target=lambda: replies.append(future.wait()))
    thread.start()
    time.sleep(0.1)
    for verb in (future.wait, future.poll, future.done, future.cancel):
        with pytest.raises(polynats.Invalid, match="another thread waits"):
            verb()
    sub.next(5).respond(b"x")
    thread.join()
    assert replies[0].data == b"x"


def test_reading_the_timeout_may_run_another_wait(nc, subject):
    sub = nc.subscribe(subject)
    future = nc.request_start(subject, timeout=20)
    replies = []
    thread = threading.Thread(target=lambda: replies.append(future.wait()))

    class Late:
        def __float__(self):
            thread.start()
            time.sleep(0.1)
            return 5.0

    with pytest.raises(polynats.Invalid, match="another thread waits"):
        future.wait(Late())
    sub.next(5).respond(b"x")
    thread.join()
    assert replies[0].data == b"x"
