#!/usr/bin/env python3
"""Interoperation, both ways, with a client that was not written here. README.md tells how.

    script/with-server tests/interop/run.py PEER --build build/dev     with $POLYNATS_LIB

PEER: cnats, nats-py, nats.go, node, rust. Exit status 77: the machine lacks something, and it is
said what.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading

sys.dont_write_bytecode = True  # the source tree stays as it is

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SKIP = 77
WAIT = 30.0
FETCH_SECONDS = 300
BUILD_SECONDS = 900
PAYLOADS = [b"", b"text", bytes(range(256)), "žluťoučký".encode(), b"MSG a 1 2\r\nPUB\r\n",
            b"\0" * 1000]
QUEUE_REQUESTS = 60


class Lacking(Exception):
    """What this machine does not have."""


# ---- building peers ----


# Where what script/bootstrap finds there is, though it is on nobody's PATH.
ELSEWHERE = {"go": "/usr/local/go/bin" + os.pathsep + "/usr/lib/go/bin"}


def need(program):
    found = shutil.which(program) or shutil.which(program, path=ELSEWHERE.get(program, ""))
    if not found:
        raise Lacking("there is no %s" % program)
    return found


def fetch(argv, **options):
    """A step that needs the network: without one there is nothing to play with."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=FETCH_SECONDS,
                              check=False, **options)
    except subprocess.TimeoutExpired:
        step = " ".join(argv[:2])
        raise Lacking("%s took over %d s, is there a network?" % (step, FETCH_SECONDS))
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise Lacking("%s failed, is there a network? %s" % (" ".join(argv[:2]), last))


def make(argv, **options):
    subprocess.run(argv, check=True, timeout=BUILD_SECONDS, **options)


def copy_of(name, folder):
    """The peer's sources in the build folder, where its tools may leave what they like."""
    shutil.copytree(os.path.join(HERE, name), folder, dirs_exist_ok=True)


def build_cnats(folder, build):
    program = os.path.join(build, "tests", "interop", "interop_cnats")
    if not os.path.exists(program):
        raise Lacking("libnats-dev (cnats) was not there when this was built")
    return [program]


def build_nats_py(folder, build):
    modules = os.path.join(folder, "modules")
    wanted = os.path.join(HERE, "requirements.txt")
    fetch([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
           "--upgrade", "--target", modules, "-r", wanted])
    return ["env", "PYTHONPATH=" + modules, "PYTHONDONTWRITEBYTECODE=1", sys.executable,
            os.path.join(HERE, "peer.py")]


def build_go(folder, build):
    go, source = need("go"), os.path.join(HERE, "go")
    program = os.path.join(folder, "peer")
    fetch([go, "mod", "download"], cwd=source)
    make([go, "build", "-o", program, "."], cwd=source)
    return [program]


def build_node(folder, build):
    node, npm = need("node"), need("npm")
    copy_of("node", folder)
    fetch([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    return [node, os.path.join(folder, "peer.mjs")]


def build_rust(folder, build):
    cargo = need("cargo")
    copy_of("rust", folder)
    fetch([cargo, "fetch", "--quiet"], cwd=folder)
    make([cargo, "build", "--quiet", "--offline"], cwd=folder)
    return [os.path.join(folder, "target", "debug", "peer")]


PEERS = {
    "cnats": build_cnats, "nats-py": build_nats_py, "nats.go": build_go, "node": build_node,
    "rust": build_rust,
}

# ---- a peer at work ----


class Peer:
    """A program in one role."""

    def __init__(self, argv, *words):
        self.process = subprocess.Popen(argv + list(words), stdout=subprocess.PIPE, text=True)
        self.timer = threading.Timer(WAIT * 2, self.process.kill)
        self.timer.start()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the peer ended: exit status %d" % self.process.wait())
        return line.split()

    def ready(self):
        assert self.line() == ["ready"]
        return self

    def end(self):
        """It has nothing more to say and ends by itself."""
        rest = self.process.stdout.read()
        status = self.process.wait()
        self.timer.cancel()
        assert (status, rest) == (0, ""), "exit status %d, and it said %r" % (status, rest)

    def kill(self):
        self.timer.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def encode(data):
    return "x" + data.hex()


def equal(found, wanted):
    assert found == wanted, "expected %r, got %r" % (wanted, found)


# ---- what is played; nc is ours, argv starts the peer ----


def play_peer_publishes(nc, argv, values):
    sub = nc.subscribe("i.from.*")
    nc.flush()
    peer = Peer(argv, "publisher", "i.from.peer", *map(encode, PAYLOADS))
    for payload in PAYLOADS:
        msg = sub.next(WAIT)
        assert msg, "no message came"
        equal((msg.subject, msg.data, msg.headers), ("i.from.peer", payload, {"X-Peer": values}))
    peer.end()
    equal(sub.next(0), None)


def play_peer_subscribes(nc, argv, values):
    peer = Peer(argv, "subscriber", "i.to.>", str(len(PAYLOADS))).ready()
    for payload in PAYLOADS:
        nc.publish("i.to.peer", payload, headers={"X-Peer": values})
    nc.flush()
    for payload in PAYLOADS:
        equal(peer.line(), ["msg", "i.to.peer", encode(payload)] + values)
    peer.end()


def play_peer_requests(nc, argv, values):
    sub = nc.subscribe("i.ask.us")
    nc.flush()
    peer = Peer(argv, "requester", "i.ask.us", *map(encode, PAYLOADS))
    for payload in PAYLOADS:
        msg = sub.next(WAIT)
        assert msg, "no request came"
        equal((msg.data, msg.headers), (payload, {"X-Peer": ["asked"]}))
        msg.respond(msg.data, headers={"X-Peer": values})
        line = peer.line()
        equal([line[0]] + line[2:], ["reply", encode(payload)] + values)
    peer.end()


def play_peer_responds(nc, argv, values):
    peer = Peer(argv, "responder", "i.ask.peer").ready()
    try:
        for payload in PAYLOADS:
            reply = nc.request("i.ask.peer", payload, WAIT)
            equal((reply.data, reply.headers), (payload, {"X-Peer": ["peer"]}))
        futures = [nc.request_start("i.ask.peer", b"%d" % at, WAIT) for at in range(100)]
        equal([future.wait().data for future in futures], [b"%d" % at for at in range(100)])
    finally:
        peer.kill()


def play_nobody_answers_the_peer(nc, argv, values):
    peer = Peer(argv, "requester", "i.nobody", encode(b"x"))
    equal(peer.line(), ["none"])
    peer.end()


def play_the_peer_has_gone(nc, argv, values):
    Peer(argv, "responder", "i.gone").ready().kill()
    # The server learns of it a moment later.
    for _ in range(100):
        try:
            nc.request("i.gone", b"x", 0.1)
        except nats.NoResponders:
            return
        except nats.Timeout:
            continue
    raise AssertionError("no NoResponders came")


def play_queue_group(nc, argv, values):
    """A worker of ours and one of the peer's share the requests of both."""
    sub = nc.subscribe("i.work", queue="workers")
    nc.flush()
    worker = Peer(argv, "responder", "i.work", "workers").ready()
    ended, ours = threading.Event(), []

    def work():
        while not ended.is_set():
            msg = sub.next(0.05)
            if msg:
                ours.append(msg.data)
                msg.respond(msg.data, headers={"X-Peer": "ours"})

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wanted = [b"%d" % at for at in range(QUEUE_REQUESTS)]
        replies = [nc.request("i.work", data, WAIT) for data in wanted]
        equal([reply.data for reply in replies], wanted)
        names = [reply.header("X-Peer") for reply in replies]
        equal(names.count("ours"), len(ours))
        assert {"ours", "peer"} == set(names), "one worker had all the work"
        asker = Peer(argv, "requester", "i.work", *map(encode, wanted))
        equal([asker.line()[2] for _ in wanted], list(map(encode, wanted)))
        asker.end()
    finally:
        ended.set()
        thread.join()
        worker.kill()


def play_all(url, argv, values):
    failed = 0
    for name, play in list(globals().items()):
        if not name.startswith("play_") or play is play_all:
            continue
        with nats.connect(url) as nc:
            try:
                play(nc, argv, values)
                print("ok      %s" % name[5:].replace("_", " "))
            except (AssertionError, nats.Error) as problem:
                failed += 1
                print("FAILED  %s: %s" % (name[5:].replace("_", " "), problem or repr(problem)))
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=sorted(PEERS))
    parser.add_argument("--build", required=True, help="where the library was built")
    args = parser.parse_args()
    folder = os.path.join(os.path.abspath(args.build), "interop", args.peer)
    os.makedirs(folder, exist_ok=True)
    try:
        argv = PEERS[args.peer](folder, os.path.abspath(args.build))
    except Lacking as problem:
        print("skipped: %s" % problem)
        return SKIP
    # nats-py has a dict for headers: one value for a key.
    values = ["one"] if args.peer == "nats-py" else ["one", "two"]
    return 1 if play_all(os.environ["NATS_URL"], argv, values) else 0


if __name__ == "__main__":
    sys.path.insert(0, os.path.join(ROOT, "bindings", "ffi", "ctypes"))
    import polynats_ffi as nats  # the library itself is $POLYNATS_LIB

    sys.exit(main())
