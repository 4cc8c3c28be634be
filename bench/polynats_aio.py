"""polynats.aio doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on PYTHONPATH."""

import asyncio
import sys

from pykit import (ACKS, AHEAD, BATCH, LONE_GAP, PULL, WAIT, WARMUP, WINDOW, Stream, Times, Watch,
                   check_acked, check_floor, print_line, read_flags, ready)

del sys.path[0]  # this folder: polynats.py is the bench's
import polynats.aio  # noqa: E402
from polynats import Server  # noqa: E402

SETTINGS = {"pending_msgs": -1, "pending_bytes": -1}


def connect(args):
    return polynats.aio.connect(args.url, **SETTINGS)


async def subscribe(nc, args):
    sub = await nc.subscribe(args.subject)
    await nc.flush(WAIT)
    return sub


async def pub(args):
    async with connect(args) as nc:
        publish, subject, data = nc.publish, args.subject, args.data
        took = Watch()
        for _ in range(args.msgs):
            await publish(subject, data)
        await nc.flush(WAIT)
        print_line(args, took.stop())


async def sub(args):
    """A list of messages at a time, the data of each looked at."""
    async with connect(args) as nc:
        await subscribe(nc, args)
        ready()
        stream, msgs, size = Stream(args), 0, 0
        while msgs < args.msgs:
            batch = await nc.get(BATCH, WAIT)
            if not batch:
                sys.exit(f"only {msgs} messages came")
            if not msgs:
                stream.begin()
            for msg in batch:
                size += len(msg.data)
            msgs += len(batch)
        stream.msgs, stream.size = msgs, size
        stream.print()


async def req(args):
    async with connect(args) as nc:
        times = Times(args, WARMUP)
        for _ in range(times.count):
            times.began()
            reply = await nc.request(args.subject, args.data, WAIT)
            times.ended()
            if len(reply.data) != args.size:
                sys.exit(f"a reply has {len(reply.data)} bytes")
        times.print()


async def respond(args):
    async with connect(args) as nc:
        await subscribe(nc, args)
        ready()
        done = 0
        took = Watch()
        while done < args.msgs + WARMUP:
            batch = await nc.get(BATCH, WAIT)
            if not batch:
                sys.exit(f"only {done} requests came")
            for msg in batch:
                await msg.respond(msg.data)
            done += len(batch)
        await nc.flush(WAIT)
        print_line(args, took.stop())


async def lone(args):
    async with connect(args) as out, connect(args) as inn:
        kept, times = await subscribe(inn, args), Times(args, 0)
        for i in range(times.count):
            await asyncio.sleep(LONE_GAP)
            times.began()
            await out.publish(args.subject, args.data)
            if await kept.next(WAIT) is None:
                sys.exit(f"only {i} messages came")
            times.ended()
        times.print()


# ---- JetStream ----


async def make_stream(js, args, fast):
    await drop_stream(js)
    await js.create_stream(name="BENCH", subjects=[args.subject], storage=args.storage,
                     allow_batched=True if fast else None)


async def drop_stream(js):
    try:
        await js.delete_stream("BENCH")
    except Server as problem:
        if problem.status != 404:
            raise


async def js_pub(args, fast=False):
    """Many in a call."""
    async with connect(args) as nc:
        js = nc.jetstream(timeout=WAIT)
        await make_stream(js, args, fast)
        publisher = await js.fast_publisher(WINDOW) if fast else js.publisher(WINDOW)
        datas, subject = [args.data] * BATCH, args.subject
        took = Watch()
        for left in range(args.msgs, 0, -BATCH):
            await publisher.publish_many(subject, datas if left >= BATCH else datas[:left])
        await publisher.flush(WAIT)
        took.stop()
        check_acked(publisher.stats(), args)
        print_line(args, took)
        await drop_stream(js)


async def js_fast(args):
    await js_pub(args, True)


async def make_consumer(nc, args):
    stream = nc.jetstream(timeout=WAIT).stream(args.stream)
    try:
        await stream.delete_consumer("bench")
    except Server as problem:
        if problem.status != 404:
            raise
    return await stream.create_consumer(durable_name="bench", ack_policy="explicit",
                                  max_ack_pending=ACKS)


async def finish(stream, consumer, args):
    stream.stop()
    check_floor((await consumer.info())["ack_floor"]["stream_seq"], args)
    await consumer.delete()
    stream.print()


async def take_and_ack(nc, batch, stream):
    """Many in a call; the last of all by a double ack, so that the server has taken note of all before it."""
    for msg in batch:
        stream.size += len(msg.data)
    stream.msgs += len(batch)
    last = batch.pop() if stream.msgs == stream.args.msgs else None
    await nc.ack_many(batch)
    if last is not None:
        await last.ack_sync(WAIT)


async def js_fetch(args):
    async with connect(args) as nc:
        consumer, stream = await make_consumer(nc, args), Stream(args)
        while stream.msgs < args.msgs:
            batch = await consumer.fetch(min(PULL, args.msgs - stream.msgs), wait=WAIT)
            if not batch:
                sys.exit(f"only {stream.msgs} messages came")
            await take_and_ack(nc, batch, stream)
        await finish(stream, consumer, args)


async def js_consume(args):
    async with connect(args) as nc:
        consumer, stream = await make_consumer(nc, args), Stream(args)
        kept = await consumer.consume(max_messages=PULL)
        while stream.msgs < args.msgs:
            batch = await kept.get(min(BATCH, args.msgs - stream.msgs), WAIT)
            if not batch:
                sys.exit(f"only {stream.msgs} messages came")
            await take_and_ack(nc, batch, stream)
        await finish(stream, consumer, args)
        await kept.unsubscribe()


async def js_ordered(args):
    async with connect(args) as nc:
        ordered, stream = nc.jetstream().stream(args.stream).ordered_consumer(), Stream(args)
        kept, msgs, size = await ordered.consume(max_messages=AHEAD), 0, 0
        while msgs < args.msgs:
            batch = await kept.get(min(BATCH, args.msgs - msgs), WAIT)
            if not batch:
                sys.exit(f"only {msgs} messages came")
            for msg in batch:
                size += len(msg.data)
            msgs += len(batch)
        stream.msgs, stream.size = msgs, size
        stream.print()
        await kept.unsubscribe()


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone, "js-pub": js_pub,
         "js-fast": js_fast, "js-fetch": js_fetch, "js-consume": js_consume,
         "js-ordered": js_ordered}

if __name__ == "__main__":
    flags = read_flags(WORKS, "polynats-aio")
    SETTINGS.update(setting.split("=", 1) for setting in flags.set)
    asyncio.run(WORKS[flags.work](flags))
