"""The client nats-py (asyncio) doing what bench/raw.c does. Same flags, same line of results."""

import asyncio
import sys

import nats
from pykit import LONE_GAP, WAIT, WARMUP, Stream, Times, Watch, print_line, read_flags, ready

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


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone}

if __name__ == "__main__":
    flags = read_flags(WORKS, "nats-py")
    asyncio.run(WORKS[flags.work](flags))
