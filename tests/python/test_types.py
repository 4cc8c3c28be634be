"""What type checkers see is what is there: py.typed, the stub of the module in C, annotations."""

import os
import pathlib
import subprocess
import sys

import polynats
import pytest

PACKAGE = pathlib.Path(polynats.__file__).parent
TOOLS = pathlib.Path(sys.executable).parent

PROGRAM = """
import logging
from typing import List, Optional

import polynats


def answer(msg: polynats.Message) -> None:
    msg.respond(msg.data.upper(), headers={"A": ["b"], "C": "d"})


with polynats.connect(["a", "b"], name="typed", connect_timeout=1.5, logger=logging.getLogger()) as nc:
    sub = nc.subscribe("a", queue="b", callback=answer, max=1, pending_msgs=-1)
    nc.publish("a", bytearray(b"x"), reply="r", headers=[("A", "b")])
    nc.publish("a", memoryview(b"x"))
    count: int = nc.publish_many("a", [b"x", "y"])
    batch: List[polynats.Message] = nc.get(max=1, wait=0.5)
    one: Optional[polynats.Message] = sub.next(timeout=1)
    for msg in sub.messages(timeout=1):
        subject: str = msg.subject
        first: Optional[str] = msg.header("A")
        several: List[str] = msg.headers["A"]
    with nc.request_start("a", b"", timeout=2) as future:
        reply: Optional[polynats.Message] = future.wait()
    event: Optional[polynats.Event] = nc.next_event(0)
    if event is not None and event.type == "disconnected":
        lost: int = event.lost
    try:
        nc.request("a")
    except polynats.Timeout as problem:
        code: str = problem.code
    proto = polynats.proto("a", seed=b"x" * 16)
    sent: bytes = proto.take()
    names: List[str] = [option.name for option in polynats.options()]
"""
AIO_PROGRAM = '''
import asyncio
from typing import List, Optional
import polynats
import polynats.aio


async def answer(msg: polynats.aio.Message) -> None:
    await msg.respond(msg.data.upper(), headers={"A": ["b"]})


async def main() -> None:
    async with polynats.aio.connect(["a", "b"], name="typed", keeper=True) as nc:
        sub = await nc.subscribe("a", queue="b", callback=answer, max=1)
        await nc.publish("a", bytearray(b"x"), reply="r", headers=[("A", "b")])
        batch: List[polynats.aio.Message] = await nc.get(max=1, wait=0.5)
        one: Optional[polynats.aio.Message] = await sub.next(timeout=1)
        async for msg in sub.messages(timeout=1):
            await msg.respond()
        async for reply in nc.request_many("a", max=2):
            print(reply.data)
        replies: List[polynats.aio.Message] = await nc.request_many("a")
        future = await nc.request_start("a", b"", timeout=2)
        print((await future).data, batch, one, replies)
        async for event in nc.events():
            print(event.type)
        count: int = await nc.publish_many("a", [b"x"])
        print(count)
    client = await polynats.aio.connect()
    await client.drain(1)


asyncio.run(main())
'''
WRONG = {
    "nc.publish(1)": "arg-type",
    "nc.publish('a', 1)": "arg-type",
    "nc.get(timeout=1)": "call-arg",
    "nc.request('a', timeout='1')": "arg-type",
    "polynats.connect(nmae='x')": "call-arg",
    "nc.subscribe('a', callback=1)": "arg-type",
    "nc.publish('a', headers={'A': 1})": "arg-type",
    "nc.nothing()": "attr-defined",
}


def run(*words, **more):
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        **more,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    path, cache = str(PACKAGE.parent), tmp_path_factory.mktemp("mypy")
    return {
        **os.environ,
        "MYPYPATH": path,
        "PYTHONPATH": path,
        "MYPY_CACHE_DIR": str(cache),
        "PATH": f"{TOOLS}:{os.environ['PATH']}",
    }


def mypy(environment, *words):
    return run(sys.executable, "-m", "mypy", "--strict", *words, env=environment)


def test_there_is_a_marker():
    assert (PACKAGE / "py.typed").exists()
    assert (PACKAGE / "_polynats.pyi").exists()


def test_every_option_has_a_type():
    from polynats import _options

    assert sorted(_options.Options.__annotations__) == sorted(
        option.name for option in polynats.options()
    )


def test_mypy_finds_nothing(environment, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    modules = ("polynats", "polynats._log", "polynats.aio", "polynats.green")
    code, output = mypy(environment, *(word for name in modules for word in ("-m", name)))
    assert code == 0, output
    of_loops = tmp_path / "of_loops.py"
    of_loops.write_text(AIO_PROGRAM, encoding="utf-8")
    code, output = mypy(environment, program, of_loops)
    assert code == 0, output


def test_mypy_finds_what_is_wrong(environment, tmp_path):
    program = tmp_path / "wrong.py"
    lines = ["import polynats", "nc = polynats.connect()", *WRONG]
    program.write_text("\n".join(lines), encoding="utf-8")
    _, output = mypy(environment, program)
    for at, kind in enumerate(WRONG.values(), 3):
        assert any(
            line.startswith(f"{program}:{at}:") and f"[{kind}]" in line
            for line in output.splitlines()
        ), output


def test_the_stub_says_what_is_there(environment):
    code, output = run(sys.executable, "-m", "mypy.stubtest", "polynats._polynats", env=environment)
    assert code == 0, output


def test_pyright_finds_nothing(environment, tmp_path):
    """pyright is a program of node's, which its package fetches once: without a network it is left out."""
    code, output = run(TOOLS / "pyright", "--version", env=environment)
    if code != 0:
        pytest.skip(f"pyright cannot run here: {output}")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    code, output = run(TOOLS / "pyright", "-p", tmp_path, env=environment)
    assert code == 0, output
