"""polynats.aio doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on PYTHONPATH."""

import asyncio
import sys

from pykit import BATCH, LONE_GAP, WAIT, WARMUP, Stream, Times, Watch, print_line, read_flags, ready

del sys.path[0]  # this folder: polynats.py is the bench's
import polynats.aio  # noqa: E402

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


WORKS = {"pub": pub, "sub": sub, "req": req, "respond": respond, "lone": lone}

if __name__ == "__main__":
    flags = read_flags(WORKS, "polynats-aio")
    SETTINGS.update(setting.split("=", 1) for setting in flags.set)
    asyncio.run(WORKS[flags.work](flags))
