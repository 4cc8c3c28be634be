"""The Python package doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on PYTHONPATH."""

import argparse
import sys
from time import CLOCK_PROCESS_CPUTIME_ID, clock_gettime_ns, perf_counter_ns, sleep

del sys.path[0]  # this folder: the package has this file's name
import polynats  # noqa: E402

WARMUP = 200  # as BENCH_WARMUP
BATCH = 1000
LONE_GAP = 0.001
WAIT = 30
SETTINGS = {"pending_msgs": -1, "pending_bytes": -1}

# ---- flags and results ----


def read_flags():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=sorted(WORKS))
    parser.add_argument("--url", default="nats://127.0.0.1:4222")
    parser.add_argument("--msgs", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--subject", default="bench")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    args = parser.parse_args()
    SETTINGS.update(setting.split("=", 1) for setting in args.set)
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


def print_line(args, took, p50="", p99=""):
    seconds = took.wall / 1e9
    print(
        f"polynats-python,{args.work},{args.size},{args.msgs},{seconds:.6f},"
        f"{args.msgs / seconds:.0f},{took.cpu / args.msgs:.2f},{p50},{p99},"
    )


def print_times(args, took, samples):
    samples.sort()
    ranks = (f"{samples[round((len(samples) - 1) * part)] / 1e3:.2f}" for part in (0.50, 0.99))
    print_line(args, took, *ranks)


# ---- works ----


def connect(args):
    return polynats.connect(args.url, **SETTINGS)


def subscribe(nc, args):
    sub = nc.subscribe(args.subject)
    nc.flush(WAIT)
    return sub


def ready():
    print("ready", flush=True)


def pub(args):
    with connect(args) as nc:
        publish, subject, data = nc.publish, args.subject, b"x" * args.size
        took = Watch()
        for _ in range(args.msgs):
            publish(subject, data)
        nc.flush(WAIT)
        print_line(args, took.stop())


def sub(args):
    """A list of messages at a time, the data of each looked at."""
    with connect(args) as nc:
        subscribe(nc, args)
        ready()
        msgs = size = 0
        took = Watch()
        while msgs < args.msgs:
            batch = nc.get(BATCH, WAIT)
            if not batch:
                sys.exit(f"only {msgs} messages came")
            if not msgs:
                took.wall = perf_counter_ns()
            for msg in batch:
                size += len(msg.data)
            msgs += len(batch)
        took.stop()
        if msgs != args.msgs or size != msgs * args.size:
            sys.exit(f"{msgs} messages with {size} bytes came")
        print_line(args, took)


def req(args):
    with connect(args) as nc:
        data, samples = b"x" * args.size, []
        for i in range(args.msgs + WARMUP):
            if i == WARMUP:
                took = Watch()
                samples.clear()
            asked = perf_counter_ns()
            reply = nc.request(args.subject, data, WAIT)
            samples.append(perf_counter_ns() - asked)
            if len(reply.data) != args.size:
                sys.exit(f"a reply has {len(reply.data)} bytes")
        print_times(args, took.stop(), samples)


def respond(args):
    with connect(args) as nc:
        subscribe(nc, args)
        ready()
        done = 0
        took = Watch()
        while done < args.msgs + WARMUP:
            batch = nc.get(BATCH, WAIT)
            if not batch:
                sys.exit(f"only {done} requests came")
            for msg in batch:
                msg.respond(msg.data)
            done += len(batch)
        nc.flush(WAIT)
        print_line(args, took.stop())


def lone(args):
    """It publishes on one connection, then waits on the other, in one thread as bench/polynats.lua."""
    with connect(args) as out, connect(args) as inn:
        kept = subscribe(inn, args)
        data, samples = b"x" * args.size, []
        took = Watch()
        for i in range(args.msgs):
            sleep(LONE_GAP)
            sent = perf_counter_ns()
            out.publish(args.subject, data)
            if kept.next(WAIT) is None:
                sys.exit(f"only {i} messages came")
            samples.append(perf_counter_ns() - sent)
        print_times(args, took.stop(), samples)


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone}

if __name__ == "__main__":
    flags = read_flags()
    WORKS[flags.work](flags)
