#!/usr/bin/env python3
"""No child of fork() puts a byte on its parent's TLS connection, whatever it does with the handles and however it ends.

One byte would end the connection: its records are numbered. The children use the handles, let go of them, exit as
Python does, become another program, or connect for themselves. A relay between the parent and the server counts the
bytes: there are as many as the parent knows of, which rests but for answers to the server's PINGs.
"""

import atexit
import gc
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bindings", "ffi", "ctypes"))
sys.dont_write_bytecode = True

import natsd
import proxy

import polynats_ffi

FORKS = 100
BUSY_SHARE = 5  # one of so many forks comes while another thread of the parent publishes
TOKEN = "hunter2-token"  # of servers/tls.conf
FORKED, DONE, FAILED = 3, 0, 1


class Parent:
    """A live connection through a relay, and the way to the server without it."""

    def __init__(self, server, relay):
        ca = natsd.run_keys().path("ca.pem")
        self.options = {"tls_ca": ca, "ping_interval": 60}
        self.near = "tls://%s@localhost:%d" % (TOKEN, server.port)
        self.client = polynats_ffi.connect("tls://%s@localhost:%d" % (TOKEN, relay.port),
                                           **self.options)
        self.sub = self.client.subscribe("fork.>")
        self.future = self.client.request_start("fork.question", timeout=60)
        self.client.flush(5)


def code_of(call, *args):
    try:
        call(*args)
    except polynats_ffi.Error as problem:
        return problem.code
    return "OK"


# ---- what a child does; each returns its exit status, or ends by itself ----


def use(parent):
    codes = [code_of(parent.client.publish, "fork.child", b"x"), code_of(parent.client.flush, 0.05),
             code_of(parent.client.drain, 0.05), code_of(parent.sub.unsubscribe),
             code_of(parent.future.wait, 0.05)]
    code_of(parent.client.close)
    return FORKED if set(codes) == {"FORKED"} else FAILED


def destroy(parent):
    del parent.future, parent.sub, parent.client
    gc.collect()
    return FORKED


def leave(parent):
    atexit.unregister(natsd.run_keys().end)  # the parent still needs them
    sys.exit(FORKED)  # with all else that Python does at its end


def become(parent):
    os.execv("/bin/sh", ["sh", "-c", "exit %d" % FORKED])


def connect_again(parent):
    with polynats_ffi.connect(parent.near, **parent.options) as own:
        sub = own.subscribe("own.child")
        own.publish("own.child", b"mine")
        return FORKED if sub.next(5).data == b"mine" else FAILED


KINDS = (use, destroy, leave, become, connect_again)


def fork(kind, parent):
    """Its exit status."""
    sys.stdout.flush()
    child = os.fork()
    if child != 0:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = FAILED
    try:
        status = kind(parent)
    except SystemExit:
        raise
    except BaseException as problem:  # the child may not go on as a second parent
        print(repr(problem), flush=True)
    os._exit(status)


# ---- the parent ----


def strange(parent, relay):
    """Bytes that went to the server and were not the parent's, once nothing is under way."""
    found = None
    while found is None or found[0] != found[1]:
        time.sleep(0.02)
        found = (found or (None, None))[1], int(relay.command("bytes up"))
    return found[1] - parent.client.stats()["out_bytes"]


def check_still_there(parent, word):
    assert not parent.future.done(), "a request of the parent's ended in a child"
    parent.client.publish("fork.parent", word)
    while (msg := parent.sub.next(5)).data != word:
        assert msg.data in (b"", b"busy"), msg.data  # its own request, and those of busy()
    assert parent.client.stats()["reconnects"] == 0


def quiet(parent, relay, kind, count):
    for _ in range(count):
        status = fork(kind, parent)
        assert status == FORKED, "%s: the child ended with %s" % (kind.__name__, status)
    sent = strange(parent, relay)
    assert sent == 0, "%s: %d bytes on the parent's connection" % (kind.__name__, sent)
    check_still_there(parent, kind.__name__.encode())
    print("%s: %d forks, 0 bytes" % (kind.__name__, count), flush=True)


def busy(parent, count):
    """The child begins in the midst of a write of the parent's."""
    over = threading.Event()

    def publish():
        while not over.is_set():
            parent.client.publish("fork.busy", b"busy")

    publisher = threading.Thread(target=publish)
    publisher.start()
    for _ in range(count):
        assert fork(use, parent) == FORKED
    over.set()
    publisher.join()
    parent.client.flush(5)
    check_still_there(parent, b"was busy")
    print("while the parent publishes: %d forks" % count, flush=True)


def main():
    server = natsd.Server(os.environ["NATS_SERVER_BIN"], "tls:good")
    owner = os.getpid()
    relay = None
    try:
        server.start()
        relay = proxy.Proxy(server.port)
        parent = Parent(server, relay)
        apart = FORKS // BUSY_SHARE
        for kind in KINDS:
            quiet(parent, relay, kind, (FORKS - apart) // len(KINDS))
        busy(parent, apart)
        parent.client.close()
        sent = strange(parent, relay)
        assert sent == 0, "%d bytes that the parent knows nothing of" % sent
    finally:
        if os.getpid() == owner:  # a child that leaves comes by here, too
            if relay is not None:
                relay.close()
            server.end()


main()
