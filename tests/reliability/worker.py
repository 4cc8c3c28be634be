"""The worker of the reliability tests, in Python: README.md has the words it takes and the lines it prints."""

import os
import signal
import sys
import time

import polynats

TICK = 0.005
FLUSH = 0.5
PATIENCE = 20.0
ROUND_MSGS = 50

mode, url, *rest = sys.argv[1:]
words = dict(word.split("=", 1) for word in rest if not word.startswith("+"))
options = dict(word[1:].split("=", 1) for word in rest if word.startswith("+"))
TYPES = {"int": int, "seconds": float, "bool": "true".__eq__, "text": str}
for name, kind, _ in polynats.options():
    if name in options:
        options[name] = TYPES[kind](options[name])
signals_seen = 0


def tell(what):
    """Tell, and wait until the harness has seen it."""
    print(what, flush=True)
    sys.stdin.readline() or sys.exit(1)


def over(key="until"):
    return os.path.exists(words[key])


def put_events(nc):
    while event := nc.next_event(wait=0):
        print("event %s %.6f" % (event.type, event.time), flush=True)


def put_done(**facts):
    print("done", *("%s=%s" % pair for pair in facts.items()), flush=True)


class Echo:
    """Publish numbers, and receive them again."""

    def __init__(self, nc):
        self.nc = nc
        self.subject = words["subject"]
        self.sub = nc.subscribe(self.subject, pending_msgs=-1, pending_bytes=-1)
        self.rate = float(words["rate"])
        self.filler = b" " * (int(words["size"]) - 16)
        self.tried = self.accepted = self.refused = 0
        self.received = self.disorder = self.last = 0
        self.slowest_publish = self.slowest_flush = self.slowest_get = 0.0

    def publish_due(self):
        due = (time.monotonic() - self.began) * self.rate - self.tried
        most = self.rate / 10
        if due > most:  # it stood still: what was missed is not made up for
            self.began += (due - most) / self.rate
            due = most
        for _ in range(int(due)):
            self.tried += 1
            start = time.monotonic()
            try:
                self.nc.publish(self.subject, b"%016d" % self.tried + self.filler)
                self.accepted += 1
            except polynats.Error:
                self.refused += 1
                return
            finally:
                self.slowest_publish = max(self.slowest_publish, time.monotonic() - start)

    def take(self, wait):
        start = time.monotonic()
        batch = self.sub.get(wait=wait)
        self.slowest_get = max(self.slowest_get, time.monotonic() - start)
        for msg in batch:
            number = int(msg.data)
            self.disorder += number <= self.last
            self.last = number
        self.received += len(batch)
        return batch

    def flush(self, seconds):
        start = time.monotonic()
        try:
            self.nc.flush(timeout=seconds)
            return True
        except polynats.Error:
            return False
        finally:
            self.slowest_flush = max(self.slowest_flush, time.monotonic() - start)

    def run(self):
        tell("ready")
        start = flushed = self.began = time.monotonic()
        while not over():
            self.publish_due()
            self.take(0)
            if time.monotonic() - flushed >= float(words["flush"]) > 0:
                self.flush(FLUSH)
                flushed = time.monotonic()
            put_events(self.nc)
            self.take(TICK)
        slowest = {
            "slowest_" + call: getattr(self, "slowest_" + call)
            for call in ("publish", "flush", "get")
        }
        seconds = time.monotonic() - start
        end = time.monotonic() + PATIENCE
        while not self.flush(PATIENCE) and time.monotonic() < end:
            pass
        while self.take(0.5):
            pass
        put_events(self.nc)
        stats = {"stat_" + name: value for name, value in self.nc.stats().items()}
        put_done(
            accepted=self.accepted,
            refused=self.refused,
            received=self.received,
            disorder=self.disorder,
            seconds=seconds,
            **slowest,
            **stats,
        )


def echo():
    with polynats.connect(url, **options) as nc:
        Echo(nc).run()


def idle():
    """No call at all from "ready" until the harness answers."""
    with polynats.connect(url, **options) as nc:
        sub = nc.subscribe(words["subject"])
        nc.flush(timeout=PATIENCE)
        tell("ready")
        got = sub.get(wait=0)
        for msg in got:
            print("event got", msg.data.decode())
        put_events(nc)
        put_done(received=len(got))


def probe(nc, sub, took):
    start = time.monotonic()
    nc.publish(sub.subject, b"?")
    assert sub.next(timeout=PATIENCE) is not None
    took.append(time.monotonic() - start)
    sub.next(timeout=TICK)


def p99(took):
    return sorted(took)[len(took) * 99 // 100]


def slow():
    """One subscription is hardly read, another one is asked for its latency."""
    with polynats.connect(url, **options) as nc:
        sub = nc.subscribe(words["subject"], pending_msgs=-1, pending_bytes=int(words["limit"]))
        quick = nc.subscribe(words["probe"])
        nc.flush(timeout=PATIENCE)
        read, unread = [], []
        tell("ready")
        while not over("read_until"):
            probe(nc, quick, read)
            sub.get(wait=0)
        put_events(nc)
        tell("read")
        due = time.monotonic() + 1
        while not over():
            probe(nc, quick, unread)
            put_events(nc)
            if time.monotonic() >= due:
                sub.next(timeout=0)
                due += 1
        tell("full")
        nc.flush(timeout=PATIENCE)
        while sub.get(wait=0):
            pass
        put_events(nc)
        stats = sub.stats()
        put_done(
            delivered=stats["delivered"],
            dropped=stats["dropped"],
            pending=stats["pending"],
            received=stats["received"],
            probes_read=len(read),
            probes_slow=len(unread),
            p99_read=p99(read),
            p99_slow=p99(unread),
        )


def connect_all(urls, numbers):
    good = 0
    for number in numbers:
        try:
            nc = polynats.connect(urls[number % len(urls)], **options)
        except polynats.Error:
            continue
        nc.flush(timeout=PATIENCE)
        nc.close()
        good += 1
    return good


def connects():
    urls, warm, count = url.split("|"), int(words["warm"]), int(words["count"])
    good = connect_all(urls, range(warm))
    tell("warm")
    good += connect_all(urls, range(warm, warm + count))
    tell("over")
    put_done(good=good, bad=warm + count - good)


def on_signal(number, frame):
    global signals_seen
    signals_seen += 1


def play_round():
    received = 0
    with polynats.connect(url, **options) as nc:
        sub = nc.subscribe(words["subject"])
        service = nc.subscribe(words["service"])
        for _ in range(ROUND_MSGS):
            nc.publish(sub.subject, b"x")
        nc.flush(timeout=PATIENCE)
        while received < ROUND_MSGS and sub.next(timeout=PATIENCE):
            received += 1
        future = nc.request_start(service.subject, b"?", timeout=PATIENCE)
        service.next(timeout=PATIENCE).respond(b"!")
        assert future.wait(PATIENCE).data == b"!"
        assert sub.next(timeout=TICK) is None
    return received


def rounds():
    if words["alarm"] == "1":
        signal.signal(signal.SIGALRM, on_signal)
    tell("ready")
    done = received = 0
    while not over():
        received += play_round()
        done += 1
    tell("over")
    put_done(rounds=done, received=received, expected=done * ROUND_MSGS, signals=signals_seen)


def jetstream():
    import worker_js

    with polynats.connect(url, **options) as nc:
        getattr(worker_js, mode)(sys.modules[__name__], words, nc)


{
    "echo": echo, "idle": idle, "slow": slow, "connects": connects, "rounds": rounds,
    "store": jetstream, "work": jetstream,
}[mode]()  # fmt: skip
