"""JetStream's part of the worker in Python: README.md has the words it takes and the lines it prints."""

import math
import time

import polynats

TICK = 0.005
CALL = 2.0  # of what waits for the server
# A server that was killed has forgotten some of what it delivered, does not answer acks of that, and delivers it again.
ACK_CALL = 0.25
QUEUE = 10  # messages that may wait to be acknowledged
PATIENCE = 60.0
SILENCE = 0.3  # longer ones are told
PAUSE = 0.05  # after a failure
BURST = 500  # messages between two looks at the rest
WINDOW = 256


class Pulse:
    """Tells when nothing came for longer than usual."""

    def __init__(self, name):
        self.name = name
        self.last = None

    def beat(self):
        now = time.monotonic()
        if self.last is not None and now - self.last > SILENCE:
            print("event %s_silent %.6f" % (self.name, self.last))
            print("event %s_heard %.6f" % (self.name, now), flush=True)
        self.last = now


class Store:
    """Publish numbers, each until its ack comes, always with the same id."""

    def __init__(self, js, words):
        self.js = js
        self.subject = words["subject"]
        self.rate = float(words["rate"])
        self.began = self.pause = time.monotonic()
        self.next = 1
        self.acked = self.unknown = self.duplicates = self.misplaced = 0
        self.pulse = Pulse("ack")

    def due(self):
        if time.monotonic() < self.pause:
            return 0
        return min(int((time.monotonic() - self.began) * self.rate) - self.acked, BURST)

    def failed(self):
        """Who takes nothing now is left in peace for a moment."""
        self.unknown += 1
        self.pause = time.monotonic() + PAUSE

    def done(self, count):
        if count:
            self.acked += count
            self.pulse.beat()


class Sync(Store):
    """One after the other: a message's number is its sequence, or something was lost or stored twice."""

    def turn(self, new):
        for _ in range(self.due() if new else 0):
            number = self.next
            try:
                ack = self.js.publish(
                    self.subject, b"%d" % number, msg_id=str(number), timeout=CALL
                )
            except polynats.Error:
                self.failed()
                return
            self.duplicates += ack.duplicate
            self.misplaced += ack.seq != number
            self.next += 1
            self.done(1)

    def settled(self):
        return True


class Window(Store):
    """Many under way: those that fail are published again, behind the others."""

    def __init__(self, js, words):
        super().__init__(js, words)
        self.publisher = js.publisher(max_pending=WINDOW)
        self.under_way = {}
        self.again = []

    def publish(self, number):
        try:
            at = self.publisher.publish(self.subject, b"%d" % number, msg_id=str(number))
        except polynats.Error:
            self.again.append(number)
            return False
        self.under_way[at] = number
        return True

    def turn(self, new):
        if not self.under_way and time.monotonic() >= self.pause:
            count = len(self.again)
            todo, self.again = self.again, []
            for at, number in enumerate(todo):
                if not self.publish(number):
                    self.again += todo[at + 1 :]
                    break
            for _ in range(self.due() - count if new and not self.again else 0):
                self.next += 1
                if not self.publish(self.next - 1):
                    break
        try:
            self.publisher.flush(timeout=CALL)
        except polynats.Error:
            pass  # failures() has them one by one
        self.settle()

    def settle(self):
        stats = self.publisher.stats()
        for at, _ in self.publisher.failures():
            self.again.append(self.under_way.pop(at))
            self.failed()
        if stats["pending"] == 0:
            self.done(len(self.under_way))
            self.under_way = {}
        self.duplicates = stats["duplicates"]

    def settled(self):
        return not self.under_way and not self.again


class Reader:
    """What is stored comes to a consumer, at least once, and to an ordered one, once and in order."""

    def __init__(self, nc, stream, words):
        self.nc = nc
        self.sub = stream.consumer(words["consumer"]).consume(heartbeat=float(words["heartbeat"]))
        self.ordered = stream.ordered_consumer().consume(idle_heartbeat=float(words["heartbeat"]))
        self.seen = set()
        self.redelivered = self.last = self.wrong = 0
        self.pulses = Pulse("consumer"), Pulse("ordered")

    def turn(self, wait):
        batch = self.sub.get(wait=wait)
        for msg in batch:
            number = int(msg.data)
            self.redelivered += number in self.seen
            self.seen.add(number)
        if batch:
            self.nc.ack_many(batch)
            self.pulses[0].beat()
        more = self.ordered.get(wait=0)
        for msg in more:
            seq = msg.metadata.stream_seq
            self.wrong += seq != self.last + 1
            self.last = seq
        if more:
            self.pulses[1].beat()


def store(worker, words, nc):
    js = nc.jetstream(timeout=CALL)
    stream = js.stream(words["stream"])
    reader = Reader(nc, stream, words) if "consumer" in words else None
    worker.tell("ready")
    writer = (Window if words["kind"] == "window" else Sync)(js, words)
    start = time.monotonic()
    limit = None
    while True:
        if limit is None and worker.over():
            limit = time.monotonic() + PATIENCE
        writer.turn(limit is None)
        if reader:
            reader.turn(TICK)
        else:
            time.sleep(TICK)
        worker.put_events(nc)
        there = not reader or (len(reader.seen) >= writer.acked and reader.last >= writer.acked)
        if limit is not None and (writer.settled() and there or time.monotonic() > limit):
            break
    facts = {"acked": writer.acked, "unknown": writer.unknown, "duplicates": writer.duplicates,
             "misplaced": writer.misplaced, "seconds": time.monotonic() - start}
    if reader:
        facts.update(consumed=len(reader.seen), redelivered=reader.redelivered,
                     ordered=reader.last, wrong=reader.wrong)
    worker.put_done(**facts)


def work(worker, words, nc):
    """Take messages and acknowledge each twice over: none of those comes again behind the answer. What was sent before
    it is in the subscription's queue by then."""
    stream = nc.jetstream(timeout=CALL).stream(words["stream"])
    heartbeat = float(words["heartbeat"])
    sub = stream.consumer(words["consumer"]).consume(heartbeat=heartbeat, max_messages=QUEUE)
    acked, seen = {}, set()
    taken = unknown = redelivered = 0
    pulse = Pulse("message")
    worker.tell("ready")
    began = time.monotonic()
    while not worker.over():
        worker.put_events(nc)
        if len(acked) > (time.monotonic() - began) * float(words["rate"]):
            time.sleep(TICK)
            pulse.last = time.monotonic()
            continue
        msg = sub.next(timeout=TICK)
        if msg is None:
            continue
        pulse.beat()
        taken += 1
        number = int(msg.data)
        redelivered += number in seen
        seen.add(number)
        when, queued = acked.get(number, (0, math.inf))
        if taken > queued:
            print("event again %.6f" % when, flush=True)
        try:
            msg.ack_sync(timeout=ACK_CALL)
        except polynats.Error:
            unknown += 1
        else:
            stats = sub.stats()
            acked[number] = time.monotonic(), stats["delivered"] + stats["pending"]
    worker.put_done(seen=len(seen), acked=len(acked), unknown=unknown, redelivered=redelivered)
