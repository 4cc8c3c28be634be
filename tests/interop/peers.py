"""The peers: how each is built, and one at work."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Of anything that is waited for. Nothing here measures time, and a machine that builds at the same time may need
# many seconds only to start an interpreter.
WAIT = 60.0
FETCH_SECONDS = 300
FETCH_TRIES = 3
BUILD_SECONDS = 900


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
    """A step that needs the network, which may stumble: without one there is nothing to play with."""
    for left in reversed(range(FETCH_TRIES)):
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=FETCH_SECONDS,
                                  check=False, **options)
        except subprocess.TimeoutExpired:
            raise Lacking("%s took over %d s, is there a network?"
                          % (" ".join(argv[:2]), FETCH_SECONDS)) from None
        if done.returncode == 0:
            return
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        if left == 0:
            raise Lacking("%s failed, is there a network? %s" % (" ".join(argv[:2]), last))
        print("%s failed, %d more tries: %s" % (" ".join(argv[:2]), left, last), flush=True)
        time.sleep(1)


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
    with open(wanted, encoding="ascii") as file:
        words = file.read()
    # What is there and whole is not asked for again.
    stamp = os.path.join(folder, "installed")
    if not os.path.exists(stamp) or open(stamp, encoding="ascii").read() != words:
        shutil.rmtree(modules, ignore_errors=True)
        fetch([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
               "--no-input", "--upgrade", "--target", modules, "-r", wanted])
        with open(stamp, "w", encoding="ascii") as file:
            file.write(words)
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
    """A program in one role. What it says besides its lines is kept, for when something fails."""

    started = []  # and not ended yet

    def __init__(self, argv, *words):
        self.role = words[0]
        self.words = ""
        self.process = subprocess.Popen(argv + list(words), stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.timer = threading.Timer(WAIT * 2, self.process.kill)
        self.timer.daemon = True
        self.timer.start()
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()
        Peer.started.append(self)

    def listen(self):
        for line in self.process.stderr:
            self.words += line

    def ended(self):
        """How it has ended, and what it said then."""
        status = self.process.wait()
        self.listener.join(WAIT)
        return "the %s ended with exit status %d\n%s" % (self.role, status, self.words[-4000:])

    def text(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.ended())
        return line

    def line(self):
        return self.text().split()

    def json(self):
        return json.loads(self.text())

    def ready(self):
        assert self.line() == ["ready"]
        return self

    def end(self):
        """It has nothing more to say and ends by itself."""
        rest = self.process.stdout.read()
        how = self.ended()
        self.let_go()
        assert self.process.returncode == 0 and not rest, "%s, and it said %r" % (how, rest)

    def let_go(self):
        self.timer.cancel()
        self.process.stdout.close()
        if self in Peer.started:
            Peer.started.remove(self)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.let_go()

    @classmethod
    def kill_all(cls):
        """What a play that failed has left."""
        words = ["the %s said: %s" % (peer.role, peer.words[-4000:])
                 for peer in cls.started if peer.words]
        for peer in list(cls.started):
            peer.kill()
        return words


def encode(data):
    return "x" + data.hex()


def equal(found, wanted):
    assert found == wanted, "expected %r, got %r" % (wanted, found)


class Folder:
    """Where a peer is built, by one run at a time."""

    def __init__(self, build, name):
        self.path = os.path.join(os.path.abspath(build), "interop", name)
        os.makedirs(self.path, exist_ok=True)

    def __enter__(self):
        self.lock = open(os.path.join(self.path, "lock"), "w", encoding="ascii")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        return self.path

    def __exit__(self, *problem):
        self.lock.close()
