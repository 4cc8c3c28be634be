"""JetStream in asyncio: what is awaited, gathered and cancelled, and that others run meanwhile."""

import asyncio

import polynats
import pytest
from conftest import run_aio


@pytest.mark.parametrize("ordered", [False, True])
def test_a_cancelled_fetch_loses_nothing(stream, subject, ordered):
    async def main(nc):
        js = nc.jetstream()
        await js.publish_many(f"{subject}.a", ["1", "2", "3"])
        here = js.stream(stream.name)
        made = here.ordered_consumer() if ordered else await here.create_consumer(ack_policy="none")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(made.fetch(5, wait=20), 0.3)
        assert (await made.next(0.2)).data == b"1"
        assert [msg.data for msg in await made.fetch(5, wait=0.2)] == [b"2", b"3"]
        await js.publish(f"{subject}.a", "4")
        assert [msg.data for msg in await made.fetch(1, wait=5)] == [b"4"]

    run_aio(main)


def test_an_ordered_consumer_that_several_begin_is_one(stream, subject):
    async def main(nc):
        js = nc.jetstream()
        await js.publish_many(f"{subject}.a", [b"x"] * 8)
        ordered = js.stream(stream.name).ordered_consumer()
        seen = await asyncio.gather(*(ordered.next(5) for _ in range(8)))
        assert sorted(msg.metadata.stream_seq for msg in seen) == list(range(1, 9))
        await ordered.close()

    run_aio(main)


def test_gather_of_publishes(stream, subject):
    async def main(nc):
        js = nc.jetstream()
        acks = await asyncio.gather(*(js.publish(f"{subject}.a", str(i)) for i in range(200)))
        assert sorted(ack.seq for ack in acks) == list(range(1, 201))
        future = await js.publish_start(f"{subject}.a")
        assert (await future).seq == 201
        async with js.publisher(max_pending=10) as publisher:
            await publisher.publish_many(f"{subject}.b", [b"x"] * 300)
            assert await publisher.publish(f"{subject}.b") == 301
        assert publisher.stats()["acked"] == 301
        assert await js.publish_many(f"{subject}.c", [b"x"] * 500) == 500
        with pytest.raises(polynats.NoResponders):
            await js.publish("nobody." + subject)

    run_aio(main)


async def told_late(nc, subject):
    """A JetStream whose server says only after a while what it can do. Who waits for it in the loop's place waits for
    ever: what answers is in the same loop. Returns the prefix of its API, and what was asked."""
    asked = []

    async def tell(msg):
        asked.append(msg)
        await asyncio.sleep(0.2)
        await msg.respond(b'{"api":{"level":4}}')

    async def store(msg):
        await msg.respond(b'{"stream":"S","seq":1}')

    prefix = f"late.{subject}"
    await nc.subscribe(f"{prefix}.INFO", callback=tell)
    await nc.subscribe(f"{subject}.late", callback=store)
    return prefix, asked


def test_others_run_while_it_asks_what_the_server_can_do(subject):
    async def main(nc):
        prefix, asked = await told_late(nc, subject)
        turns = 0

        async def turn():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.005)

        task = asyncio.create_task(turn())
        ways = (
            lambda js: js.publisher().publish(f"{subject}.late", b"x", ttl=60),
            lambda js: js.publisher().publish(f"{subject}.late", headers={"Nats-TTL": "60s"}),
            lambda js: js.fast_publisher(),
            lambda js: js.publish(f"{subject}.late", b"x", ttl=60),
        )
        for count, way in enumerate(ways, 1):
            before = turns
            await way(nc.jetstream(prefix=prefix, timeout=5))
            assert turns - before > 10
            assert len(asked) == count
        task.cancel()

    run_aio(main)


def test_asks_what_the_server_can_do_on_each_connection(subject):
    async def main(nc):
        prefix, asked = await told_late(nc, subject)
        publisher = nc.jetstream(prefix=prefix, timeout=5).publisher()
        await publisher.publish(f"{subject}.late", msg_id="a")
        assert len(asked) == 0  # every server knows it
        await asyncio.gather(*(publisher.publish(f"{subject}.late", ttl=60) for _ in range(3)))
        await publisher.publish(f"{subject}.late", ttl=60)
        await publisher.flush()
        before = len(asked)
        assert before <= 3
        nc.reconnect()
        while (event := await nc.next_event(5)) and event.type != "reconnected":
            pass
        for _ in range(2):
            await publisher.publish(f"{subject}.late", ttl=60)
        assert len(asked) == before + 1
        await publisher.flush()

    run_aio(main)


def test_consumers(stream, subject):
    async def main(nc):
        js = nc.jetstream()
        await js.publish_many(f"{subject}.a", [str(i) for i in range(100)])
        here = js.stream(stream.name)
        assert [one async for one in js.stream_names(f"{subject}.a")] == [stream.name]
        c = await here.create_consumer(durable_name="c")
        batch = await c.fetch(10, wait=5)
        assert len(batch) == 10
        await batch[0].ack()
        with pytest.raises(polynats.Invalid, match="acknowledged already"):
            await batch[0].ack()
        await batch[1].ack_sync(5)
        assert await nc.ack_many(batch) == 8
        done, all_there = [], asyncio.Event()

        async def work(msg):
            await msg.ack()
            done.append(msg.metadata.stream_seq)
            if len(done) == 90:
                all_there.set()

        async with await c.consume(work):
            await asyncio.wait_for(all_there.wait(), 10)
        assert done == list(range(11, 101))
        assert [msg.data async for msg in here.get_many(batch=2)] == [b"0", b"1"]
        ordered = here.ordered_consumer()
        assert (await ordered.next(5)).data == b"0"
        assert len(await ordered.fetch(99, wait=5)) == 99
        await ordered.close()

    run_aio(main)


def test_a_cancelled_fetch(stream, subject):
    async def main(nc):
        c = await nc.jetstream().stream(stream.name).create_consumer(durable_name="c")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(c.fetch(1, wait=20), 0.1)
        await nc.jetstream().publish(f"{subject}.a", b"x")
        assert (await c.next(5)).data == b"x"

    run_aio(main)


def test_others_run_while_one_waits(stream):
    async def main(nc):
        c = await nc.jetstream().stream(stream.name).create_consumer(durable_name="c")
        turns = 0

        async def turn():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.005)

        task = asyncio.create_task(turn())
        assert await c.fetch(1, wait=0.3) == []
        task.cancel()
        assert turns > 10

    run_aio(main)
