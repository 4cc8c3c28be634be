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
JS_PROGRAM = """
import datetime
from typing import List, Optional

import polynats


def order(msg: polynats.Message) -> None:
    place = msg.metadata
    if place is not None:
        number: int = place.stream_seq
        when: datetime.datetime = place.time
        print(number, when)
    msg.ack()


with polynats.connect() as nc:
    js: polynats.JetStream = nc.jetstream(domain="d", timeout=3)
    stream = js.create_stream({"name": "S"}, subjects=["a.>"], max_age=datetime.timedelta(days=1))
    ack: polynats.Ack = js.publish("a.b", b"x", msg_id="1", ttl=5, expect_last_seq=3)
    consumer = stream.create_consumer(durable_name="C", ack_policy="explicit", backoff=[1, 2.5])
    batch: List[polynats.Message] = consumer.fetch(10, wait=1, max_bytes=100)
    one: Optional[polynats.Message] = consumer.next(1)
    sub: polynats.Subscription = consumer.consume(order, heartbeat=5)
    with js.publisher(max_pending=100) as publisher:
        number: int = publisher.publish("a.c", "x")
    for other in js.streams():
        name: str = other.name
    for msg in stream.get_many(batch=3):
        data: bytes = msg.data
    count: int = nc.ack_many(batch)
    try:
        js.account_info()
    except polynats.Server as problem:
        code: int = problem.err_code
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
        js: polynats.aio.JetStream = nc.jetstream()
        stream = await js.create_stream(name="S")
        ack: polynats.aio.Ack = await js.publish("S", b"x")
        print(ack.seq, await (await js.publish_start("S")))
        async with await (await stream.create_consumer(name="C")).consume() as orders:
            async for order in orders:
                await order.ack()
        async for name in js.stream_names():
            print(name.upper())
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
    "nc.jetstream().create_stream(nmae='x')": "call-arg",
    "nc.jetstream().create_stream(max_msgs='x')": "arg-type",
    "nc.jetstream().publish('a', expct_stream='x')": "call-arg",
    "nc.jetstream().stream('a').consumer('b').consume(max_msgs=1)": "call-arg",
    "nc.jetstream().stream('a').ordered_consumer(ack_wait=1)": "call-arg",
    "polynats.Nothing": "attr-defined",
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


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("StreamConfig", "stream_config"), ("ConsumerConfig", "consumer_config"),
        ("Placement", "placement"), ("StreamSource", "stream_source"), ("External", "external"),
        ("SubjectTransform", "subject_transform"), ("SourceConsumer", "source_consumer"),
        ("Republish", "republish"), ("ConsumerLimits", "consumer_limits"),
        ("OrderedConfig", "ordered_config"),
    ],
)  # fmt: skip
def test_every_key_of_jetstream_has_a_type(name, of):
    from polynats import _jetstream_types, _polynats

    known = getattr(_jetstream_types, name).__annotations__
    assert sorted(known) == sorted(_polynats._js_keys(of))


@pytest.mark.parametrize(
    ("name", "of", "said_by_the_call"),
    [
        ("ConsumeOptions", "consume", {"stream", "consumer"}),
        ("OrderedOptions", "ordered", {"stream", "config"}),
        ("FetchOptions", "fetch",
         {"stream", "consumer", "max", "max_messages", "wait", "expires", "mode"}),
        ("GetOptions", "get_message",
         {"stream", "seq", "last_by_subj", "next_by_subj", "start_time"}),
    ],
)  # fmt: skip
def test_every_option_of_a_verb_has_a_type(name, of, said_by_the_call):
    from polynats import _jetstream_types, _polynats

    known = set(getattr(_jetstream_types, name).__annotations__) - {"timeout"}
    if name == "ConsumeOptions":
        known |= set(_jetstream_types.OrderedOptions.__annotations__)
    assert known == set(_polynats._js_keys(of)) - said_by_the_call


def test_every_keyword_of_publish_has_a_type():
    from polynats import _jetstream_types, _polynats

    known = _jetstream_types.PublishKeywords.__annotations__
    assert sorted(known) == sorted(name for name, _ in _polynats._js_keywords())


def test_mypy_finds_nothing(environment, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    modules = ("polynats", "polynats._log", "polynats.aio", "polynats.green", "polynats._jetstream",
               "polynats._jetstream_aio", "polynats._jetstream_green")
    code, output = mypy(environment, *(word for name in modules for word in ("-m", name)))
    assert code == 0, output
    of_jetstream = tmp_path / "of_jetstream.py"
    of_jetstream.write_text(JS_PROGRAM, encoding="utf-8")
    code, output = mypy(environment, of_jetstream)
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
    (tmp_path / "of_jetstream.py").write_text(JS_PROGRAM, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    code, output = run(TOOLS / "pyright", "-p", tmp_path, env=environment)
    assert code == 0, output
