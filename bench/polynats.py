"""The Python package doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on PYTHONPATH.
With --green first it is polynats.green: the same verbs, waiting in gevent's loop."""

import sys
from time import sleep

from pykit import (ACKS, AHEAD, BATCH, LONE_GAP, PULL, WAIT, WARMUP, WINDOW, Stream, Times, Watch,
                   check_acked, check_floor, print_line, read_flags, ready)

del sys.path[0]  # this folder: the package has this file's name
GREEN = sys.argv[1:2] == ["--green"]
if GREEN:
    del sys.argv[1]
    import polynats.green as package  # noqa: E402
    from gevent import sleep  # noqa: E402
else:
    import polynats as package  # noqa: E402
from polynats import Server  # noqa: E402

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


# ---- JetStream ----


def make_stream(js, args, fast):
    drop_stream(js)
    js.create_stream(name="BENCH", subjects=[args.subject], storage=args.storage,
                     allow_batched=True if fast else None)


def drop_stream(js):
    try:
        js.delete_stream("BENCH")
    except Server as problem:
        if problem.status != 404:
            raise


def js_pub(args, fast=False):
    """Many in a call."""
    with connect(args) as nc:
        js = nc.jetstream(timeout=WAIT)
        make_stream(js, args, fast)
        publisher = js.fast_publisher(WINDOW) if fast else js.publisher(WINDOW)
        datas, subject = [args.data] * BATCH, args.subject
        took = Watch()
        for left in range(args.msgs, 0, -BATCH):
            publisher.publish_many(subject, datas if left >= BATCH else datas[:left])
        publisher.flush(WAIT)
        took.stop()
        check_acked(publisher.stats(), args)
        print_line(args, took)
        drop_stream(js)


def js_fast(args):
    js_pub(args, True)


def make_consumer(nc, args):
    stream = nc.jetstream(timeout=WAIT).stream(args.stream)
    try:
        stream.delete_consumer("bench")
    except Server as problem:
        if problem.status != 404:
            raise
    return stream.create_consumer(durable_name="bench", ack_policy="explicit",
                                  max_ack_pending=ACKS)


def finish(stream, consumer, args):
    stream.stop()
    check_floor(consumer.info()["ack_floor"]["stream_seq"], args)
    consumer.delete()
    stream.print()


def take_and_ack(nc, batch, stream):
    """Many in a call; the last of all by a double ack, so that the server has taken note of all before it."""
    for msg in batch:
        stream.size += len(msg.data)
    stream.msgs += len(batch)
    last = batch.pop() if stream.msgs == stream.args.msgs else None
    nc.ack_many(batch)
    if last is not None:
        last.ack_sync(WAIT)


def js_fetch(args):
    with connect(args) as nc:
        consumer, stream = make_consumer(nc, args), Stream(args)
        while stream.msgs < args.msgs:
            batch = consumer.fetch(min(PULL, args.msgs - stream.msgs), wait=WAIT)
            if not batch:
                sys.exit(f"only {stream.msgs} messages came")
            take_and_ack(nc, batch, stream)
        finish(stream, consumer, args)


def js_consume(args):
    with connect(args) as nc:
        consumer, stream = make_consumer(nc, args), Stream(args)
        kept = consumer.consume(max_messages=PULL)
        while stream.msgs < args.msgs:
            batch = kept.get(min(BATCH, args.msgs - stream.msgs), WAIT)
            if not batch:
                sys.exit(f"only {stream.msgs} messages came")
            take_and_ack(nc, batch, stream)
        finish(stream, consumer, args)
        kept.unsubscribe()


def js_ordered(args):
    with connect(args) as nc:
        ordered, stream = nc.jetstream().stream(args.stream).ordered_consumer(), Stream(args)
        kept, msgs, size = ordered.consume(max_messages=AHEAD), 0, 0
        while msgs < args.msgs:
            batch = kept.get(min(BATCH, args.msgs - msgs), WAIT)
            if not batch:
                sys.exit(f"only {msgs} messages came")
            for msg in batch:
                size += len(msg.data)
            msgs += len(batch)
        stream.msgs, stream.size = msgs, size
        stream.print()
        kept.unsubscribe()


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone, "js-pub": js_pub,
         "js-fast": js_fast, "js-fetch": js_fetch, "js-consume": js_consume,
         "js-ordered": js_ordered}

if __name__ == "__main__":
    flags = read_flags(WORKS, "polynats-green" if GREEN else "polynats-python")
    SETTINGS.update(setting.split("=", 1) for setting in flags.set)
    WORKS[flags.work](flags)
