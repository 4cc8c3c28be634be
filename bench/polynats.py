"""The Python package doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on PYTHONPATH.
With --green first it is polynats.green: the same verbs, waiting in gevent's loop."""

import sys
from time import sleep

from pykit import BATCH, LONE_GAP, WAIT, WARMUP, Stream, Times, Watch, print_line, read_flags, ready

del sys.path[0]  # this folder: the package has this file's name
GREEN = sys.argv[1:2] == ["--green"]
if GREEN:
    del sys.argv[1]
    import polynats.green as package  # noqa: E402
    from gevent import sleep  # noqa: E402
else:
    import polynats as package  # noqa: E402

SETTINGS = {"pending_msgs": -1, "pending_bytes": -1}


def connect(args):
    return package.connect(args.url, **SETTINGS)


def subscribe(nc, args):
    sub = nc.subscribe(args.subject)
    nc.flush(WAIT)
    return sub


def pub(args):
    with connect(args) as nc:
        publish, subject, data = nc.publish, args.subject, args.data
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
        stream, msgs, size = Stream(args), 0, 0
        while msgs < args.msgs:
            batch = nc.get(BATCH, WAIT)
            if not batch:
                sys.exit(f"only {msgs} messages came")
            if not msgs:
                stream.begin()
            for msg in batch:
                size += len(msg.data)
            msgs += len(batch)
        stream.msgs, stream.size = msgs, size
        stream.print()


def req(args):
    with connect(args) as nc:
        times = Times(args, WARMUP)
        for _ in range(times.count):
            times.began()
            reply = nc.request(args.subject, args.data, WAIT)
            times.ended()
            if len(reply.data) != args.size:
                sys.exit(f"a reply has {len(reply.data)} bytes")
        times.print()


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
        kept, times = subscribe(inn, args), Times(args, 0)
        for i in range(times.count):
            sleep(LONE_GAP)
            times.began()
            out.publish(args.subject, args.data)
            if kept.next(WAIT) is None:
                sys.exit(f"only {i} messages came")
            times.ended()
        times.print()


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone}

if __name__ == "__main__":
    flags = read_flags(WORKS, "polynats-green" if GREEN else "polynats-python")
    SETTINGS.update(setting.split("=", 1) for setting in flags.set)
    WORKS[flags.work](flags)
