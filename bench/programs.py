"""The bench programs: where they are, and how one of them is run."""

import functools
import os
import selectors
import subprocess
import sys
import sysconfig
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS = ("name", "work", "size", "msgs", "seconds", "msgs_per_s", "client_cpu_ns_per_msg",
           "p50_us", "p99_us", "bytes_each")
# The order is that of the tables and the plot.
NAMES = ("raw", "polynats", "cnats", "gonats", "polynats-lua", "polynats-ruby", "polynats-tcl",
         "polynats-python", "polynats-aio", "polynats-green", "nats-py", "goingnats")
TIME_LIMIT_S = 180  # for one program; none needs a tenth of it

_FILES = {"raw": "bench_raw", "peer": "bench_peer", "polynats": "bench_polynats",
          "cnats": "bench_cnats", "gonats": "bench_gonats"}


# name: the file, the words that go first, and the package of bench/requirements.txt that it needs.
_IN_PYTHON = {"polynats-python": ("polynats.py", [], None),
              "polynats-aio": ("polynats_aio.py", [], None),
              "polynats-green": ("polynats.py", ["--green"], "gevent"),
              "nats-py": ("natspy.py", [], "nats"),
              "goingnats": ("goingnats.py", [], "goingnats")}


@functools.lru_cache(maxsize=None)
def _has(package):
    """Asked of another process: this one has the bench's own folder on its path."""
    return package is None or subprocess.call(
        [sys.executable, "-c", f"import {package}"], stderr=subprocess.DEVNULL, cwd="/") == 0


def command(build, name):
    """The words that start a program, or None when it was not built."""
    if name == "polynats-lua":
        module = find(build, "nats.so")
        kit = find(build, "benchkit.so")
        if module is None or kit is None:
            return None
        return [os.environ.get("LUA", "lua5.4"), os.path.join(ROOT, "bench", "polynats.lua")]
    if name in _IN_PYTHON:
        file, words, needed = _IN_PYTHON[name]
        ours = find(build, "_polynats" + sysconfig.get_config_var("EXT_SUFFIX"))
        if (name.startswith("polynats") and ours is None) or not _has(needed):
            return None
        return [sys.executable, os.path.join(ROOT, "bench", file)] + words
    if name == "polynats-ruby":
        if find(build, "polynats.rb") is None:
            return None
        return [os.environ.get("RUBY", "ruby"), os.path.join(ROOT, "bench", "polynats.rb")]
    if name == "polynats-tcl":
        if find(build, "polynats_tcl.so") is None:
            return None
        return [os.environ.get("TCLSH", "tclsh"), os.path.join(ROOT, "bench", "polynats.tcl")]
    path = find(build, _FILES[name])
    return None if path is None else [path]


@functools.lru_cache(maxsize=None)
def find(build, file):
    """The file of that name nearest to the top of the build folder."""
    for folder, folders, files in os.walk(build):
        folders.sort()
        if file in files:
            return os.path.join(folder, file)
    return None


def environment(build):
    """What the programs in Lua, Python, Ruby and Tcl need to find their modules."""
    folders = [os.path.dirname(path) for path in
               (find(build, "nats.so"), find(build, "benchkit.so")) if path]
    return dict(os.environ, LUA_CPATH=";".join(f"{folder}/?.so" for folder in folders),
                PYTHONPATH=os.path.join(build, "python"),
                RUBYLIB=os.path.join(build, "ruby"), TCLLIBPATH=os.path.join(build, "tcl"))


class Failed(Exception):
    """A program did not do its work."""


class Program:
    """A running bench program. Use with `with`: it is ended on the way out."""

    def __init__(self, build, name, work, url, msgs, size, subject, core=None, settings=(),
                 storage=None):
        self.label = f"{name} {work}"
        words = command(build, name)
        if core is not None:
            words = ["taskset", "-c", str(core)] + words
        words += [work, "--url", url, "--msgs", str(msgs), "--size", str(size),
                  "--subject", subject]
        if storage is not None:
            words += ["--storage", storage]
        for setting in settings:
            words += ["--set", setting]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         env=environment(build))
        self._deadline = time.monotonic() + TIME_LIMIT_S
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()

    def _line(self):
        """The next line of its output, waited for."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                left = self._deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise Failed(f"{self.label}: no result within {TIME_LIMIT_S} s")
                data = os.read(self._process.stdout.fileno(), 65536)
                if not data:
                    raise Failed(f"{self.label}: {self._complaint()}")
                self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def _complaint(self):
        self._process.wait(timeout=10)
        text = self._process.stderr.read().decode(errors="replace").strip()
        return text or f"ended with {self._process.returncode} and no result"

    def wait_ready(self):
        """A receiver has subscribed."""
        if self._line() != "ready":
            raise Failed(f"{self.label}: said something else than ready")

    def result(self):
        """Its line of results, as a dict of column and number (None where there is none)."""
        cells = self._line().split(",")
        if len(cells) != len(COLUMNS):
            raise Failed(f"{self.label}: unreadable result: {cells}")
        row = dict(zip(COLUMNS, cells))
        for column in COLUMNS[2:]:
            row[column] = float(row[column]) if row[column] else None
        if self._process.wait(timeout=30) != 0:
            raise Failed(f"{self.label}: {self._complaint()}")
        return row
