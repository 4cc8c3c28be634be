"""The conformance driver for polynats.green: the driver for Python with a client that waits in
gevent's loop, which reads the commands too. The line protocol is in ../README.md."""

import os
import sys

import gevent
from gevent.fileobject import FileObject

import driver
import polynats as nats
import polynats.green
from driver import put, put_list

arrived = []  # messages that callbacks were called with, and no `dispatch` has printed yet
do_reset = driver.do_reset


def do_connect(command):
    command.keep(0, polynats.green.connect(command.servers(), **command.given()))


def do_subscribe(command):
    callback = arrived.append if "callback" in command.options else None
    command.keep(1, command.handle(0).subscribe(
        command.text(2), queue=driver.decode_text(command.options.get("queue")),
        max=command.number("max"), callback=callback,
        pending_msgs=command.number("pending_msgs"),
        pending_bytes=command.number("pending_bytes")))


def do_dispatch(command):
    """The loop calls callbacks whenever it turns: wait for the first, and print those."""
    if command.handle(0).closed:
        raise nats.Closed("the client is closed")
    stop = nats.now() + command.seconds("wait_ms", 0)
    while not arrived and nats.now() < stop:
        gevent.sleep(0.001)
    limit = command.number("max") or len(arrived)
    put_list(arrived[:limit])
    del arrived[:limit]


def do_fork_check(command):
    """What a child of fork() is told by the handles it inherited. gevent's own fork gives the child
    a hub of its own."""
    client, sub = command.handle(0), command.handle(1)
    sys.stdout.flush()
    child = gevent.os.fork()
    if child == 0:
        code_of = driver.code_of
        put("ok", code_of(client.publish, "forked"), code_of(client.flush, 0.1),
            code_of(client.get, 1, 0), code_of(client.request, "forked", timeout=0.1),
            code_of(client.next_event, 0), code_of(sub.next, 0), code_of(sub.unsubscribe),
            code_of(client.drain, 0.1))
        code_of(client.close)
        sys.stdout.flush()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        put("child", status)


def reset(command):
    arrived.clear()
    do_reset(command)


driver.VERBS.update({
    "connect": do_connect,
    "subscribe": do_subscribe,
    "dispatch": do_dispatch,
    "fork_check": do_fork_check,
    "reset": reset,
})
# What programs do for a loop, the package does itself.
for name in ("process", "wake", "deadline", "wait_fd"):
    del driver.VERBS[name]

if __name__ == "__main__":
    sys.stdin = FileObject(sys.stdin, "r", close=False)
    driver.main()
