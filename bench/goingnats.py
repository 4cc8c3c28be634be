"""The client goingnats (a socket and a thread) doing what bench/raw.c does. Same flags, same line of results."""

import sys
from time import monotonic, sleep
from urllib.parse import urlsplit

from pykit import LONE_GAP, WAIT, WARMUP, Stream, Times, Watch, print_line, read_flags, ready

del sys.path[0]  # this folder: the client has this file's name
import goingnats  # noqa: E402

WAIT_MS = WAIT * 1000


def connect(args):
    url = urlsplit(args.url)
    return goingnats.Client(name="bench", host=url.hostname, port=url.port)


def flush(nc, args):
    """It has no flush: a message to itself has gone the way that all before it went."""
    subject = args.subject.encode() + b".flushed"
    nc.subscribe(subject=subject)
    nc.publish(subject=subject)
    get(nc)


def get(nc):
    """Its get may return with nothing before the time is up."""
    stop = monotonic() + WAIT
    while not (batch := nc.get(wait=WAIT_MS)):
        if monotonic() > stop:
            sys.exit("nothing came")
    return batch


def subscribe(nc, args):
    nc.subscribe(subject=args.subject.encode())
    flush(nc, args)


def pub(args):
    with connect(args) as nc:
        publish, subject, data = nc.publish, args.subject.encode(), args.data
        took = Watch()
        for _ in range(args.msgs):
            publish(subject=subject, payload=data)
        flush(nc, args)
        print_line(args, took.stop())


def sub(args):
    with connect(args) as nc:
        subscribe(nc, args)
        ready()
        stream, msgs, size = Stream(args), 0, 0
        while msgs < args.msgs:
            batch = get(nc)
            if not msgs:
                stream.begin()
            for msg in batch:
                size += len(msg.payload)
            msgs += len(batch)
        stream.msgs, stream.size = msgs, size
        stream.print()


def req(args):
    with connect(args) as nc:
        subject, times = args.subject.encode(), Times(args, WARMUP)
        for _ in range(times.count):
            times.began()
            reply = nc.request(subject=subject, payload=args.data, wait=WAIT_MS)
            times.ended()
            if len(reply.payload) != args.size:
                sys.exit(f"a reply has {len(reply.payload)} bytes")
        times.print()


def respond(args):
    with connect(args) as nc:
        subscribe(nc, args)
        ready()
        done = 0
        took = Watch()
        while done < args.msgs + WARMUP:
            batch = get(nc)
            for msg in batch:
                nc.publish(subject=msg.inbox, payload=msg.payload)
            done += len(batch)
        flush(nc, args)
        print_line(args, took.stop())


def lone(args):
    with connect(args) as out, connect(args) as inn:
        subscribe(inn, args)
        times = Times(args, 0)
        for _ in range(times.count):
            sleep(LONE_GAP)
            times.began()
            out.publish(subject=args.subject.encode(), payload=args.data)
            get(inn)
            times.ended()
        times.print()


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone}

if __name__ == "__main__":
    flags = read_flags(WORKS, "goingnats")
    WORKS[flags.work](flags)
