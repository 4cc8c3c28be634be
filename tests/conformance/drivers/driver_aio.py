"""The conformance driver for polynats.aio: every verb that may wait is awaited, in one loop, which
reads the commands too. The rest is the driver for Python. The line protocol is in ../README.md."""

import asyncio
import os
import sys

import driver
import polynats as nats
import polynats.aio
from driver import decode, decode_text, handles, put, put_list, put_msg, put_one

arrived = []  # messages that callbacks were called with, and no `dispatch` has printed yet
VERBS = {}
LINE_MAX = 1 << 26  # bytes of a command: payloads are on it


def verb(function):
    VERBS[function.__name__[3:]] = function
    return function


def simple(method, *keys):
    async def run(command):
        await getattr(command.handle(0), method)(*(command.seconds(key) for key in keys))
        put("ok")
    return run


@verb
async def do_connect(command):
    command.keep(0, await polynats.aio.connect(command.servers(), **command.given()))


@verb
async def do_share(command):
    command.keep(1, await command.handle(0).share())


@verb
async def do_publish(command):
    await command.handle(0).publish(command.text(1), command.data(2), headers=command.headers(),
                                    reply=decode_text(command.options.get("reply")))
    put("ok")


@verb
async def do_publish_many(command):
    payloads = [decode(word) for word in command.rest(2)]
    put("ok", await command.handle(0).publish_many(command.text(1), payloads))


@verb
async def do_respond(command):
    await command.handle(1).respond(command.data(2), headers=command.headers())
    put("ok")


@verb
async def do_subscribe(command):
    callback = arrived.append if "callback" in command.options else None
    command.keep(1, await command.handle(0).subscribe(
        command.text(2), queue=decode_text(command.options.get("queue")),
        max=command.number("max"), callback=callback,
        pending_msgs=command.number("pending_msgs"),
        pending_bytes=command.number("pending_bytes")))


@verb
async def do_unsubscribe_sid(command):
    await command.handle(0).unsubscribe(int(command.word(1)), command.number("after"))
    put("ok")


@verb
async def do_unsubscribe_subject(command):
    put("ok", await command.handle(0).unsubscribe(command.text(1), command.number("after")))


@verb
async def do_get(command):
    put_list(await command.handle(0).get(command.number("max"), command.seconds("wait_ms", 0)))


@verb
async def do_dispatch(command):
    """The loop calls callbacks whenever it turns: wait for the first, and print those."""
    if command.handle(0).closed:
        raise nats.Closed("the client is closed")
    stop = nats.now() + command.seconds("wait_ms", 0)
    while not arrived and nats.now() < stop:
        await asyncio.sleep(0.001)
    limit = command.number("max") or len(arrived)
    put_list(arrived[:limit])
    del arrived[:limit]


@verb
async def do_request(command):
    put_one(command, await command.handle(0).request(
        command.text(1), command.data(2), command.seconds("timeout_ms"), command.headers()))


@verb
async def do_request_start(command):
    command.keep(1, await command.handle(0).request_start(
        command.text(2), command.data(3), command.seconds("timeout_ms"), command.headers()))


@verb
async def do_request_many(command):
    replies = command.handle(0).request_many(
        command.text(1), command.data(2), max=command.number("max"),
        stall=command.seconds("stall_ms"), timeout=command.seconds("timeout_ms"),
        sentinel=command.options.get("sentinel") == "1", headers=command.headers())
    for msg in [msg async for msg in replies]:
        put_msg(msg)
    put("ok")


@verb
async def do_wait(command):
    put_one(command, await command.handle(0).wait(command.seconds("wait_ms")))


@verb
async def do_rtt(command):
    put("ok", int(await command.handle(0).rtt(command.seconds("timeout_ms")) * 1e9))


@verb
async def do_next_event(command):
    """Takes events until one of the wanted type ("-": any) comes."""
    stop = nats.now() + command.seconds("wait_ms", 0)
    while True:
        left = stop - nats.now()
        event = await command.handle(0).next_event(max(left, 0))
        if event is None and left <= 0:
            put("none")
            return
        if event is not None and command.word(1) in ("-", event.type):
            driver.put_event(event, command.rest(2))
            return


def code_of(coroutine):
    """In a child of fork() there is no loop: what must fail does so without one."""
    try:
        for _ in range(3):
            coroutine.send(None)
    except nats.Error as problem:
        return problem.code
    except StopIteration:
        return "OK"
    return "WAITS"


@verb
async def do_fork_check(command):
    """What a child of fork() is told by the handles it inherited."""
    client, sub = command.handle(0), command.handle(1)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        put("ok", code_of(client.publish("forked")), code_of(client.flush(0.1)),
            code_of(client.get(1, 0)), code_of(client.request("forked", timeout=0.1)),
            code_of(client.next_event(0)), code_of(sub.next(0)), code_of(sub.unsubscribe()),
            code_of(client.drain(0.1)))
        code_of(client.close())
        sys.stdout.flush()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        put("child", status)


@verb
async def do_next(command):
    put_one(command, await command.handle(0).next(command.seconds("wait_ms", 0)))


@verb
async def do_iterate(command):
    left = int(command.word(1))
    async for msg in command.handle(0):
        put_msg(msg)
        left -= 1
        if not left:
            break
    put("ok")


@verb
async def do_serve(command):
    """Answer the next n requests, with data or with what was asked."""
    for _ in range(int(command.word(2))):
        msg = await command.handle(1).next(command.seconds("wait_ms", 0))
        if msg is None:
            put("none")
            return
        await msg.respond(decode(command.options["data"]) if "data" in command.options
                          else msg.data)
    await command.handle(0).flush()
    put("ok")


@verb
async def do_unsubscribe(command):
    await command.handle(0).unsubscribe(command.number("after"))
    put("ok")


@verb
async def do_reset(command):
    arrived.clear()
    driver.do_reset(command)


VERBS.update(driver.jetstream_verbs)
VERBS.update({
    "close": simple("close"),
    "drain": simple("drain", "timeout_ms"),
    "flush": simple("flush", "timeout_ms"),
    "sub_get": do_get,
    "sub_drain": simple("drain", "timeout_ms"),
})
# What programs do for a loop, the package does itself.
THE_LOOPS = ("process", "wake", "deadline", "wait_fd")
ALL = [name for name in driver.VERBS if name not in THE_LOOPS]


async def run(command):
    name = command.words[0]
    if name == "hello":
        put("ok", *ALL)
        return
    if name not in VERBS:
        driver.run(command)
        return
    try:
        await VERBS[name](command)
    except nats.Error as problem:
        driver.note(problem)
        driver.put_error(problem)
    except TypeError as problem:
        driver.note_misuse(problem)
        put("err", "INVALID")


async def main():
    lines = asyncio.StreamReader(limit=LINE_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command = driver.Command(line.decode())
        if not command.words:
            continue
        try:
            await run(command)
        except driver.Lost as problem:
            sys.exit("driver: %s" % problem)
        sys.stdout.write(".\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
