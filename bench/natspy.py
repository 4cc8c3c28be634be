"""The client nats-py (asyncio) doing what bench/raw.c does. Same flags, same line of results."""

import asyncio
import sys

import nats
import nats.js
from nats.js import api
from pykit import (ACKS, LONE_GAP, PULL, WAIT, WARMUP, WINDOW, Stream, Times, Watch, check_floor,
                   print_line, read_flags, ready)

NO_LIMITS = {"pending_msgs_limit": 0, "pending_bytes_limit": 0}
PATIENCE = 120


async def connect(args):
    return await nats.connect(args.url)


async def subscribe(nc, args, callback=None):
    sub = await nc.subscribe(args.subject, cb=callback, **NO_LIMITS)
    await nc.flush(WAIT)
    return sub


async def pub(args):
    nc = await connect(args)
    publish, subject, data = nc.publish, args.subject, args.data
    took = Watch()
    for _ in range(args.msgs):
        await publish(subject, data)
    await nc.flush(WAIT)
    print_line(args, took.stop())
    await nc.close()


async def sub(args):
    """By a callback, which takes it half the time of its iterator; it has no call that gives several."""
    nc = await connect(args)
    stream, done = Stream(args), asyncio.Event()

    async def count(msg):
        if not stream.msgs:
            stream.begin()
        stream.size += len(msg.data)
        stream.msgs += 1
        if stream.msgs == args.msgs:
            done.set()

    await subscribe(nc, args, count)
    ready()
    stream.took = Watch()
    await asyncio.wait_for(done.wait(), PATIENCE)
    stream.print()
    await nc.close()


async def req(args):
    nc = await connect(args)
    times = Times(args, WARMUP)
    for _ in range(times.count):
        times.began()
        reply = await nc.request(args.subject, args.data, WAIT)
        times.ended()
        if len(reply.data) != args.size:
            sys.exit(f"a reply has {len(reply.data)} bytes")
    times.print()
    await nc.close()


async def respond(args):
    nc = await connect(args)
    left, done = args.msgs + WARMUP, asyncio.Event()

    async def answer(msg):
        nonlocal left
        await msg.respond(msg.data)
        left -= 1
        if not left:
            done.set()

    await subscribe(nc, args, answer)
    ready()
    took = Watch()
    await asyncio.wait_for(done.wait(), PATIENCE)
    await nc.flush(WAIT)
    print_line(args, took.stop())
    await nc.close()


async def lone(args):
    out, inn = await connect(args), await connect(args)
    kept, times = await subscribe(inn, args), Times(args, 0)
    for _ in range(times.count):
        await asyncio.sleep(LONE_GAP)
        times.began()
        await out.publish(args.subject, args.data)
        await kept.next_msg(WAIT)
        times.ended()
    times.print()
    await out.close()
    await inn.close()


# ---- JetStream ----


async def drop_stream(js):
    try:
        await js.delete_stream("BENCH")
    except nats.js.errors.NotFoundError:
        pass


async def js_pub(args):
    nc = await connect(args)
    js = nc.jetstream(timeout=WAIT, publish_async_max_pending=WINDOW)
    await drop_stream(js)
    await js.add_stream(name="BENCH", subjects=[args.subject], storage=args.storage)
    publish, subject, data = js.publish_async, args.subject, args.data
    took = Watch()
    for _ in range(args.msgs):
        await publish(subject, data)
    await asyncio.wait_for(js.publish_async_completed(), PATIENCE)
    took.stop()
    stored = (await js.stream_info("BENCH")).state.messages
    if stored != args.msgs:
        sys.exit(f"the stream has {stored} messages")
    print_line(args, took)
    await drop_stream(js)
    await nc.close()


async def make_consumer(js, args, **more):
    try:
        await js.delete_consumer(args.stream, "bench")
    except nats.js.errors.NotFoundError:
        pass
    return await js.add_consumer(args.stream, durable_name="bench", max_ack_pending=ACKS,
                                 ack_policy=api.AckPolicy.EXPLICIT, **more)


async def finish(stream, js, args):
    stream.stop()
    check_floor((await js.consumer_info(args.stream, "bench")).ack_floor.stream_seq, args)
    await js.delete_consumer(args.stream, "bench")
    stream.print()


async def take_and_ack(msg, stream):
    stream.size += len(msg.data)
    stream.msgs += 1
    if stream.msgs == stream.args.msgs:
        await msg.ack_sync(WAIT)
    else:
        await msg.ack()


async def js_fetch(args):
    nc = await connect(args)
    js = nc.jetstream(timeout=WAIT)
    await make_consumer(js, args)
    sub = await js.pull_subscribe_bind("bench", args.stream)
    stream = Stream(args)
    while stream.msgs < args.msgs:
        for msg in await sub.fetch(min(PULL, args.msgs - stream.msgs), timeout=WAIT):
            await take_and_ack(msg, stream)
    await finish(stream, js, args)
    await nc.close()


async def by_callback(args, acked, begin):
    """It has no endless pull: a push consumer with a callback is what it has in its place."""
    nc = await connect(args)
    js = nc.jetstream(timeout=WAIT)
    stream, done = Stream(args), asyncio.Event()

    async def count(msg):
        if stream.msgs == args.msgs:
            return
        if acked:
            await take_and_ack(msg, stream)
        else:
            stream.size += len(msg.data)
            stream.msgs += 1
        if stream.msgs == args.msgs:
            done.set()

    stream.took = Watch()
    sub = await begin(js, count)
    await asyncio.wait_for(done.wait(), PATIENCE)
    if acked:
        await finish(stream, js, args)
    else:
        stream.print()
    await sub.unsubscribe()
    await nc.close()


async def js_consume(args):
    async def begin(js, callback):
        info = await make_consumer(js, args, deliver_subject="_INBOX.bench.push")
        return await js.subscribe_bind(args.stream, info.config, "bench", cb=callback,
                                       manual_ack=True, **NO_LIMITS)

    await by_callback(args, True, begin)


async def js_ordered(args):
    async def begin(js, callback):
        return await js.subscribe(">", stream=args.stream, cb=callback, ordered_consumer=True,
                                  **NO_LIMITS)

    await by_callback(args, False, begin)


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone, "js-pub": js_pub,
         "js-fetch": js_fetch, "js-consume": js_consume, "js-ordered": js_ordered}

if __name__ == "__main__":
    flags = read_flags(WORKS, "nats-py")
    asyncio.run(WORKS[flags.work](flags))
