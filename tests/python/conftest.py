"""What the tests share. The server is that of $NATS_URL: script/with-server starts one."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import polynats
import polynats.aio
import pytest

# An interrupted call ends within 100 ms; a loaded machine gets more to be sure of its own part.
PROMPT_S = 1.0
HOPELESS_S = 20  # what has not happened by then does not


@pytest.fixture
def connect():
    """connect(**options): clients that are closed when the test is over, whatever became of it."""
    made = []

    def connect(*args, **options):
        made.append(polynats.connect(*args, **options))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.fixture
def nc(connect):
    return connect()


@pytest.fixture
def subject(request):
    """A subject of this test alone."""
    return f"t.{request.node.name.replace(' ', '_')}.{os.getpid()}"


def run_aio(main):
    """main(nc): a coroutine function, in a loop of its own."""

    async def run():
        async with polynats.aio.connect() as nc:
            await main(nc)

    asyncio.run(run())


@pytest.fixture
def js(nc):
    return nc.jetstream()


@pytest.fixture
def stream(js, subject):
    """A stream of this test alone, of what is below its subject."""
    made = js.create_stream(
        name=f"S{abs(hash(subject))}", subjects=[f"{subject}.>"], storage="memory",
        allow_direct=True,
    )  # fmt: skip
    yield made
    try:
        made.delete()
    except polynats.Error:
        pass


@pytest.fixture
def run_python():
    """What a program of its own prints. It must succeed, and write nothing to stderr."""

    def run(program, *, succeeds=True, errors=""):
        words = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode == 0) == succeeds, done.stderr
        if errors == "":
            assert done.stderr == ""
        else:
            assert errors in done.stderr
        return done.stdout

    return run


def held():
    """Seconds that the threads of this process were ready to run and had no processor, so far: what a
    measured time may be over its mark by. 0 where the system does not tell."""
    waited = 0
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/schedstat") as file:
            waited += int(file.read().split()[1])
    return waited / 1e9


@pytest.fixture
def strike():
    """strike(after, number, once): sends this process a signal later, when once() holds too. Waits for
    it at the end."""
    timers = []

    def hit(number, once):
        until = time.monotonic() + HOPELESS_S
        while not once() and time.monotonic() < until:
            time.sleep(0.002)
        os.kill(os.getpid(), number)

    def strike(after=0.1, number=signal.SIGINT, once=lambda: True):
        timers.append(threading.Timer(after, hit, (number, once)))
        timers[-1].start()

    yield strike
    for timer in timers:
        timer.join()


@pytest.fixture
def handler():
    """handler(number, function): until the end of the test."""
    before = {}

    def handler(number, function):
        before.setdefault(number, signal.signal(number, function))

    yield handler
    for number, function in before.items():
        signal.signal(number, function)


@pytest.fixture
def took():
    """took(call): how long it took, in seconds."""

    def took(call, *args):
        began = time.monotonic()
        call(*args)
        return time.monotonic() - began

    return took
