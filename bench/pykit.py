"""What the bench programs in Python share: flags, clocks, and the line of results. As bench.h in C."""

import argparse
from time import CLOCK_PROCESS_CPUTIME_ID, clock_gettime_ns, perf_counter_ns

WARMUP = 200  # as BENCH_WARMUP
BATCH = 1000
WINDOW = 4000  # these as in bench.h
PULL = 500
AHEAD = 10000
ACKS = 10000
LONE_GAP = 0.001
WAIT = 30


def read_flags(works, name):
    """name: that of the program, in its line of results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=sorted(works))
    parser.add_argument("--url", default="nats://127.0.0.1:4222")
    parser.add_argument("--msgs", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--subject", default="bench")
    parser.add_argument("--storage", default="memory", choices=("memory", "file"))
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    args = parser.parse_args()
    args.name, args.data, args.stream = name, b"x" * args.size, f"FILLED_{args.storage}"
    return args


def cpu_ns():
    return clock_gettime_ns(CLOCK_PROCESS_CPUTIME_ID)


class Watch:
    """Wall and CPU time from its making to stop()."""

    def __init__(self):
        self.cpu, self.wall = cpu_ns(), perf_counter_ns()

    def stop(self):
        self.wall, self.cpu = perf_counter_ns() - self.wall, cpu_ns() - self.cpu
        return self


def ready():
    print("ready", flush=True)


def print_line(args, took, p50="", p99=""):
    seconds = took.wall / 1e9
    print(
        f"{args.name},{args.work},{args.size},{args.msgs},{seconds:.6f},"
        f"{args.msgs / seconds:.0f},{took.cpu / args.msgs:.2f},{p50},{p99},"
    )


class Times:
    """Single ways there and back: began() before each, ended() after it. The first WARMUP of many do not count."""

    def __init__(self, args, warmup):
        self.args, self.warmup = args, warmup
        self.count, self.samples, self.sent, self.took = args.msgs + warmup, [], 0, None

    def began(self):
        if len(self.samples) == self.warmup and self.took is None:
            self.took = Watch()
        self.sent = perf_counter_ns()

    def ended(self):
        self.samples.append(perf_counter_ns() - self.sent)

    def print(self):
        took, samples = self.took.stop(), sorted(self.samples[self.warmup:])
        ranks = (f"{samples[round((len(samples) - 1) * part)] / 1e3:.2f}" for part in (0.50, 0.99))
        print_line(self.args, took, *ranks)


def check_acked(stats, args):
    """Of a publisher."""
    if stats["acked"] != args.msgs:
        raise SystemExit(f"only {stats['acked']} messages were acknowledged")


def check_floor(floor, args):
    """Of a consumer: the server has seen all acks."""
    if floor != args.msgs:
        raise SystemExit(f"acks are in as far as message {floor}")


class Stream:
    """What a receiver counts: every message, and every byte of it."""

    def __init__(self, args):
        self.args, self.msgs, self.size, self.took = args, 0, 0, Watch()
        self.stopped = False

    def begin(self):
        """At the first message: what was waited before does not count."""
        self.took.wall = perf_counter_ns()

    def stop(self):
        """At the end of what counts: print does it if it was not done."""
        if not self.stopped:
            self.took.stop()
            self.stopped = True

    def print(self):
        self.stop()
        if self.msgs != self.args.msgs or self.size != self.msgs * self.args.size:
            raise SystemExit(f"{self.msgs} messages with {self.size} bytes came")
        print_line(self.args, self.took)
