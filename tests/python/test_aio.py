"""polynats.aio, in asyncio's own loop and in uvloop's. The verbs as such are held to the conformance
cases (driver_aio.py); here is what is of asyncio: tasks, cancellation, several loops, warnings."""

import asyncio
import gc
import logging
import os
import random
import socket
import threading
import time
import warnings

import polynats
import pytest
from polynats import aio

uvloop = pytest.importorskip("uvloop")
QUIET_S = 0.3
SILENT = "_polynats.silent"
TICKS = 10  # of a task beside: so many show that it runs
LONG_S = 10  # a call that kept the loop for itself would take that long


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """run(coroutine) in a loop of that kind. No task may be left, nothing reported to the loop."""

    def run(coroutine):
        reported = []

        async def main():
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: reported.append(context))
            result = await asyncio.wait_for(coroutine, 120)  # a guard: nothing takes that long
            await asyncio.sleep(0.01)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return result

        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        loop = factory()
        try:
            loop.set_debug(request.param == "asyncio")
            loop.slow_callback_duration = 10  # a busy machine's slowness is nothing to report
            result = loop.run_until_complete(main())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
        gc.collect()
        assert reported == []
        return result

    return run


async def ticking(ticks):
    while True:
        ticks.append(time.monotonic())
        await asyncio.sleep(0.001)


async def ticked(ticks):
    """Until the task beside has run often."""
    while len(ticks) <= TICKS:
        await asyncio.sleep(0.001)


def test_the_same_verbs(run, subject):
    async def main():
        async with aio.connect(name="demo") as nc:
            assert nc.status == "connected"
            sub = await nc.subscribe(subject)
            await nc.publish(subject, b"one", headers={"Lang": ["en", "fr"]})
            msg = await sub.next(5)
            assert (msg.subject, msg.data, msg.headers) == (subject, b"one", {"Lang": ["en", "fr"]})
            assert isinstance(msg, polynats.Message)
            assert await nc.publish_many(subject, [b"x"] * 1000) == 1000
            got = []
            while len(got) < 1000:
                got += await nc.get(wait=5)
            assert await sub.next(0) is None
            assert await nc.get(wait=0) == []
            assert 0 < await nc.rtt() < 5
            assert nc.stats()["received"] == 1001
            with pytest.raises(polynats.NoResponders):
                await nc.request(subject + ".nobody")
            with pytest.raises(polynats.Invalid):
                await nc.publish("not a subject")
            with pytest.raises(polynats.Invalid):
                await got[0].respond(b"no answer is asked for")
            with pytest.raises(TypeError):
                await nc.publish(subject, 5)
        assert nc.closed
        with pytest.raises(polynats.Closed):
            await nc.publish(subject)
        await nc.close()

    run(main())


def test_awaited_connect(run):
    async def main():
        nc = await aio.connect()
        other = await nc.share()
        await nc.close()
        assert not other.closed
        await other.flush()
        async with other:
            pass

    run(main())


def test_no_thread(run):
    before = len(os.listdir("/proc/self/task"))

    async def main():
        async with aio.connect() as nc:
            await nc.flush()
            assert len(os.listdir("/proc/self/task")) == before
            assert threading.active_count() == 1

    run(main())


def test_others_run_while_one_waits(run, subject):
    async def main():
        ticks = []
        task = asyncio.ensure_future(ticking(ticks))
        async with aio.connect() as nc:
            sub = await nc.subscribe(subject)
            for wait in (sub.next, sub.get, nc.get, nc.next_event):
                keyword = "timeout" if wait == sub.next else "wait"
                while await wait(**{keyword: 0}):
                    pass
                ticks.clear()
                waiting = asyncio.ensure_future(wait(**{keyword: LONG_S}))
                await ticked(ticks)
                assert not waiting.done()
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
        task.cancel()

    run(main())


def test_others_run_while_one_finds_all_it_wants(run, subject):
    """A task that never has to wait does not keep the loop for itself."""

    async def main():
        async with aio.connect() as nc:
            sub = await nc.subscribe(subject)
            stop, until = False, time.monotonic() + LONG_S

            async def flood():
                while not stop and time.monotonic() < until:
                    await nc.publish(subject, b"x")

            async def eat():
                async for _ in sub:
                    if stop:
                        return

            tasks = [asyncio.ensure_future(flood()), asyncio.ensure_future(eat())]
            ticks = []
            ticker = asyncio.ensure_future(ticking(ticks))
            await ticked(ticks)
            stop = True
            assert time.monotonic() < until
            await nc.publish(subject)
            await asyncio.gather(*tasks)
            ticker.cancel()

    run(main())


@pytest.mark.parametrize("verb", ["next", "get", "client_get", "iterate"])
def test_cancellation_loses_nothing(run, subject, verb):
    count = 1500

    async def feed():
        async with aio.connect() as nc:
            for number in range(count):
                await nc.publish(subject, str(number))
                if number % 7 == 0:
                    await asyncio.sleep(random.random() / 2000)
            await nc.flush()

    async def main():
        got = []

        async def take(nc, sub):
            if verb == "next":
                got.append(await sub.next())
            elif verb == "get":
                got.extend(await sub.get())
            elif verb == "client_get":
                got.extend(await nc.get(max=3))
            else:
                async for msg in sub:
                    got.append(msg)

        async with aio.connect() as nc:
            sub = await nc.subscribe(subject)
            await nc.flush()
            feeder = asyncio.ensure_future(feed())
            cancelled = 0
            while len(got) < count:
                task = asyncio.ensure_future(take(nc, sub))
                for _ in range(random.randrange(4)):
                    await asyncio.sleep(0)
                if random.random() < 0.5:
                    await asyncio.sleep(random.random() / 5000)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    cancelled += 1
            await feeder
        assert [int(msg.data) for msg in got] == list(range(count))
        assert cancelled > 20

    run(main())


def test_timeouts_of_asyncio(run, subject):
    async def main():
        async with aio.connect() as nc:
            sub = await nc.subscribe(subject)
            await nc.subscribe(SILENT)
            for waiting in (sub.next(), nc.get(), nc.request(SILENT, timeout=9), nc.run()):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(waiting, 0.02)
            assert nc.stats()["open_requests"] == 0
            await nc.publish(subject, b"still there")
            assert (await asyncio.wait_for(sub.next(), 5)).data == b"still there"

    run(main())


def test_requests_at_once(run, subject):
    async def main():
        async with aio.connect() as nc:

            async def answer(msg):
                await asyncio.sleep(0)
                await msg.respond(msg.data[::-1])

            await nc.subscribe(subject, callback=answer)
            replies = await asyncio.gather(
                *(nc.request(subject, f"{n:05}", timeout=20) for n in range(1000))
            )
            assert [msg.data for msg in replies] == [f"{n:05}"[::-1].encode() for n in range(1000)]

    run(main())


def test_futures(run, subject):
    async def main():
        async with aio.connect() as nc:
            service = await nc.subscribe(subject)
            future = await nc.request_start(subject, b"?", timeout=9)
            assert not future.done() and future.poll() is None
            with pytest.raises(polynats.Timeout) as told:
                await future.wait(0.02)
            assert told.value.about == "wait" and not future.done()
            waiting = asyncio.ensure_future(future.wait())
            await asyncio.sleep(0.01)
            waiting.cancel()
            await (await service.next(5)).respond(b"!")
            assert (await future).data == b"!"
            with pytest.raises(polynats.Closed):
                await future

            future = await nc.request_start(subject, timeout=9)
            waiting = asyncio.ensure_future(future.wait())
            await asyncio.sleep(0)
            future.cancel()
            with pytest.raises(polynats.Closed):
                await waiting
            with pytest.raises(polynats.Timeout):
                await nc.request(subject, timeout=0.05)

    run(main())


def test_request_many(run, subject):
    async def main():
        async with aio.connect() as nc:

            async def answer(msg):
                for number in range(5):
                    await msg.respond(str(number))

            await nc.subscribe(subject, callback=answer)
            replies = await nc.request_many(subject, max=3, timeout=5)
            assert [msg.data for msg in replies] == [b"0", b"1", b"2"]
            got = [msg.data async for msg in nc.request_many(subject, stall=0.1, timeout=5)]
            assert got == [b"0", b"1", b"2", b"3", b"4"]
            async for msg in (some := nc.request_many(subject, timeout=5)):
                assert msg.data == b"0"
                break
            await some.aclose()
            assert nc.stats()["open_requests"] == 0
            with pytest.raises(polynats.NoResponders):
                await nc.request_many(subject + ".nobody")

    run(main())


def test_callbacks(run, subject):
    async def main():
        async with aio.connect() as nc:
            plain, awaited = [], []

            async def slow(msg):
                await asyncio.sleep(0.0001 * random.random())
                awaited.append(int(msg.data))

            await nc.subscribe(subject, callback=lambda msg: plain.append(int(msg.data)))
            await nc.subscribe(subject, callback=slow)
            with pytest.raises(TypeError):
                await nc.subscribe(subject, callback=5)
            for number in range(500):
                await nc.publish(subject, str(number))
            await nc.drain()
            assert plain == awaited == list(range(500))
            assert nc.closed

    run(main())


@pytest.mark.parametrize("seconds", [-1, float("nan"), 10**400, "soon"])
def test_no_time_is_refused(run, subject, seconds):
    async def main():
        async with aio.connect() as nc:
            sub = await nc.subscribe(subject)
            await nc.subscribe(SILENT)
            future = await nc.request_start(SILENT, timeout=5)
            waits = [nc.get(wait=seconds), nc.next_event(seconds), nc.run(seconds),
                     nc.flush(seconds), sub.next(seconds), sub.get(wait=seconds),
                     sub.drain(seconds), future.wait(seconds), nc.drain(seconds)]  # fmt: skip
            for wait in waits:
                with pytest.raises(TypeError if seconds == "soon" else polynats.Invalid) as problem:
                    await wait
                assert str(problem.value).split()[0] in ("timeout", "wait"), problem.value

    run(main())


@pytest.mark.skipif(not hasattr(asyncio.Task, "cancelling"), reason="Python 3.10 cannot tell")
def test_a_callback_that_awaits_what_was_cancelled(subject):
    reported, got = [], []

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, about: reported.append(about))
        async with aio.connect() as nc:

            async def call(msg):
                got.append(msg)
                lost = loop.create_future()
                lost.cancel()
                await lost

            await nc.subscribe(subject, callback=call)
            for _ in range(3):
                await nc.publish(subject)
            await nc.drain()

    asyncio.run(main())
    assert len(got) == 3
    assert [type(about["exception"]) for about in reported] == [asyncio.CancelledError] * 3


def test_a_callback_that_ends_the_loop(subject):
    got = []

    def call(msg):
        got.append(int(msg.data))
        if msg.data == b"1":
            raise KeyboardInterrupt

    async def start():
        nc = await aio.connect()
        await nc.subscribe(subject, callback=call)
        await nc.publish_many(subject, ["0", "1", "2", "3"])
        return nc

    async def finish(nc):
        deadline = time.monotonic() + 5
        while len(got) < 4 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        await nc.close()

    loop = asyncio.new_event_loop()
    starting = loop.create_task(start())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(asyncio.sleep(5))
    loop.run_until_complete(finish(starting.result()))
    loop.close()
    assert got == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["plain", "awaited"])
def test_a_failing_callback_stops_nothing(subject, kind):
    reported, got = [], []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, about: reported.append(about))
        async with aio.connect() as nc:

            def fail(msg):
                got.append(msg)
                raise ValueError("on purpose")

            async def fail_later(msg):
                fail(msg)

            await nc.subscribe(subject, callback=fail if kind == "plain" else fail_later)
            for _ in range(3):
                await nc.publish(subject)
            await nc.drain()

    asyncio.run(main())
    assert len(got) == 3
    assert [str(about["exception"]) for about in reported] == ["on purpose"] * 3


def test_drain_keeps_what_waits(run, subject):
    async def main():
        async with aio.connect() as feeder, aio.connect() as nc:
            sub = await nc.subscribe(subject)
            other = await nc.subscribe(subject + ".other")
            await nc.flush()
            for number in range(1000):
                await feeder.publish(subject, str(number))
                await feeder.publish(subject + ".other")
            await feeder.flush()
            await other.drain()
            assert len(await other.get()) == 1000
            with pytest.raises(polynats.Closed):
                await other.next()
            await nc.drain()
            assert nc.status == "draining"
            got = [msg async for msg in sub]
            assert [int(msg.data) for msg in got] == list(range(1000))
            assert nc.closed

    run(main())


def test_a_cancelled_drain_goes_on(run, subject):
    async def main():
        async with aio.connect() as nc:
            sub = await nc.subscribe(subject)
            await nc.publish(subject)
            task = asyncio.ensure_future(sub.drain())
            await asyncio.sleep(0)
            task.cancel()
            assert await sub.next(5) is not None
            while sub.active:
                await asyncio.sleep(0.001)

    run(main())


def test_ends_of_iteration(run, subject):
    async def main():
        nc = await aio.connect()
        limited = await nc.subscribe(subject, max=3)
        ended = await nc.subscribe(subject + ".ended")
        closed = await nc.subscribe(subject + ".closed")
        silent = await nc.subscribe(subject + ".silent")

        async def count(messages):
            return len([msg async for msg in messages])

        tasks = [asyncio.ensure_future(count(sub)) for sub in (limited, ended, closed)]
        for _ in range(5):
            await nc.publish(subject)
        assert await tasks[0] == 3
        assert await count(silent.messages(timeout=0.02)) == 0
        async with ended:
            await asyncio.sleep(0)
        assert await tasks[1] == 0
        await nc.close()
        assert await tasks[2] == 0

    run(main())


def test_close_wakes_all_that_wait(run, subject):
    async def main():
        nc = await aio.connect()
        sub = await nc.subscribe(subject)
        await nc.subscribe(SILENT, callback=lambda _: None)
        future = await nc.request_start(SILENT, timeout=30)
        asked = nc.request(SILENT, timeout=30)
        waits = [sub.next(), sub.get(), nc.get(), nc.run(), future.wait(), asked]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        await asyncio.sleep(0.02)
        await nc.close()
        assert nc.closed
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[3] is None
        assert [type(r) for r in results if r is not None] == [polynats.Closed] * 5
        with pytest.raises(polynats.Closed):
            while await nc.next_event():
                pass

    run(main())


async def mute_after_connect(reader, writer):
    """A server that answers the first PING, and then nothing."""
    writer.write(b'INFO {"server_id":"x","max_payload":1048576,"headers":true}\r\n')
    while line := await reader.readline():
        if line == b"PING\r\n":
            writer.write(b"PONG\r\n")
            break
    while await reader.read(65536):
        pass
    writer.close()


def test_a_cancelled_close_closes(run, subject):
    async def main():
        server = await asyncio.start_server(mute_after_connect, "127.0.0.1", 0)
        async with server:
            nc = await aio.connect(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await nc.publish(subject)
            task = asyncio.ensure_future(nc.close())
            await asyncio.sleep(0.02)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert nc.closed

    run(main())


def test_connect_fails(run):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]

        async def main():
            with socket.create_server(("127.0.0.1", 0)) as gone:
                dead = gone.getsockname()[1]
            with pytest.raises(polynats.IO, match="refused"):
                await aio.connect(f"127.0.0.1:{dead}")
            with pytest.raises(polynats.Timeout):
                async with aio.connect(f"127.0.0.1:{port}", connect_timeout=0.1):
                    pass
            ticks = []
            ticker = asyncio.ensure_future(ticking(ticks))
            connect = aio.connect(f"127.0.0.1:{port}", connect_timeout=LONG_S)
            connecting = asyncio.ensure_future(connect.__aenter__())
            await ticked(ticks)
            assert not connecting.done()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(connecting, 0.1)
            ticker.cancel()
            with pytest.raises(polynats.Invalid, match="reconect"):
                await aio.connect(reconect=True)
            aio.connect("not awaited is not an error")

        run(main())


def test_events(run, caplog):
    caplog.set_level(logging.INFO)

    async def main():
        log = logging.getLogger("polynats.test")
        async with aio.connect(logger=log) as nc:
            assert (await nc.next_event(5)).type == "connected"
            assert await nc.next_event(0) is None
            seen = []
            nc.on_event(lambda event: seen.append(event.type))
            other = await nc.share()
            events = asyncio.ensure_future(collect(other))
            await asyncio.sleep(0.01)
        assert seen == ["closed"]
        await other.close()
        assert (await events)[-1] == "closed"

    async def collect(client):
        return [event.type async for event in client.events()]

    run(main())
    assert any("closed" in record.message for record in caplog.records)


def test_run_and_stop(run, subject):
    async def main():
        async with aio.connect() as nc:
            await nc.subscribe(subject, callback=lambda _: nc.stop())
            asyncio.get_running_loop().call_later(
                0.01, lambda: asyncio.ensure_future(nc.publish(subject))
            )
            await asyncio.wait_for(nc.run(), 5)
            began = time.monotonic()
            await nc.run(timeout=0.05)
            assert time.monotonic() - began < 2

    run(main())


def test_more_than_the_socket_takes(run, subject):
    """Publishing faster than the server takes it waits, and the others run meanwhile."""

    def read(sub):
        while sub.next(60).data:
            pass

    async def main():
        # Who reads has a thread: a turn of the loop may publish much, and the server gives up who
        # does not keep up.
        with polynats.connect(pending_bytes=-1) as reader:
            sub = reader.subscribe(subject)
            reader.flush()
            reading = asyncio.ensure_future(asyncio.to_thread(read, sub))
            async with aio.connect() as nc:
                ticks = []
                ticker = asyncio.ensure_future(ticking(ticks))
                data = bytes(64 * 1024)
                published = 0
                while published < 300 or (len(ticks) <= TICKS and published < 10_000):
                    await nc.publish(subject, data)
                    assert nc.stats()["unwritten_bytes"] < 1024 * 1024
                    published += 1
                assert await nc.publish_many(subject, [data] * 100) == 100
                await nc.publish(subject, b"")
                await reading
                assert len(ticks) > TICKS
                ticker.cancel()

    run(main())


def test_what_nobody_takes_lets_the_loop_sleep(run, subject):
    async def main():
        async with aio.connect() as nc:
            await nc.subscribe(subject)
            for _ in range(10):
                await nc.publish(subject)
            await nc.flush()
            turns = 0
            turn = type(nc)._turn

            def counted(self):
                nonlocal turns
                turns += 1
                turn(self)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(type(nc), "_turn", counted)
                await asyncio.sleep(QUIET_S)
            assert turns < 20
            assert len(await nc.get(wait=1)) == 10

    run(main())


def test_several_loops(subject):
    failed = []

    def work(number):
        async def main():
            async with aio.connect() as nc:
                mine = f"{subject}.{number}"
                sub = await nc.subscribe(mine)
                for n in range(300):
                    await nc.publish(mine, str(n))
                    assert int((await sub.next(10)).data) == n

        try:
            asyncio.run(main())
        except BaseException as problem:
            failed.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []


def test_of_another_loop():
    async def make():
        return await aio.connect()

    async def use(nc):
        with pytest.raises(RuntimeError, match="another event loop"):
            await nc.get(wait=1)

    with asyncio.Runner() if hasattr(asyncio, "Runner") else pytest.skip("3.11") as runner:
        nc = runner.run(make())
        asyncio_thread = threading.Thread(target=lambda: asyncio.run(use(nc)))
        asyncio_thread.start()
        asyncio_thread.join(10)
        runner.run(nc.close())


def test_a_forgotten_client_warns():
    async def main():
        nc = await aio.connect()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            del nc
            gc.collect()
        assert ["unclosed <polynats.aio.Client connected>"] == [str(w.message) for w in told]

    asyncio.run(main())


PROGRAM = """
import asyncio
import polynats.aio

async def main():
    asyncio.get_running_loop().slow_callback_duration = 10
    async with polynats.aio.connect() as nc:
        async def answer(msg):
            await msg.respond(b"ok")
        await nc.subscribe("{subject}", callback=answer)
        sub = await nc.subscribe("{subject}.more")
        waiting = asyncio.ensure_future(sub.next())
        assert (await nc.request("{subject}", timeout=5)).data == b"ok"
    try:
        await waiting
    except polynats.Closed:
        print("closed")

asyncio.run(main(), debug=True)
"""


def test_no_warning_at_the_end(run_python, subject):
    assert run_python(PROGRAM.format(subject=subject)) == "closed\n"


def test_cancelled_at_the_end(run_python, subject):
    """The loop ends with tasks that wait, and callbacks at work."""
    program = """
import asyncio
import polynats.aio

async def main():
    async with polynats.aio.connect() as nc:
        async def answer(msg):
            await asyncio.sleep(30)
        await nc.subscribe("{subject}", callback=answer)
        await nc.publish("{subject}")
        sub = await nc.subscribe("{subject}.more")
        async def take():
            async for msg in sub:
                pass
        tasks = [asyncio.ensure_future(take()) for _ in range(3)]
        await nc.flush()
        await asyncio.sleep(0.05)

asyncio.run(main())
print("end")
"""
    assert run_python(program.format(subject=subject)) == "end\n"


def test_descriptors_are_given_back():
    async def main():
        for _ in range(50):
            async with aio.connect() as nc:
                await nc.flush()

    asyncio.run(main())
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(main())
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
