"""Workers: one program per language that does the same work, and the facts that it tells."""

import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "conformance"), os.path.join(HERE, "..", "fault")]
END_SECONDS = 60.0


class Failed(Exception):
    """A worker, or what it told, is not as it should be."""


def folder_of(build, name):
    for folder, _, files in os.walk(build):
        if name in files:
            return folder
    sys.exit("no %s under %s: build first" % (name, build))


def script(name):
    return os.path.join(HERE, "worker." + name)


def launch_c(build):
    return [os.path.join(folder_of(build, "reliability_worker"), "reliability_worker")], {}


def launch_lua(build):
    path = os.path.join(folder_of(build, "nats.so"), "?.so")
    return [shutil.which("lua5.4") or shutil.which("lua"), script("lua")], {
        "LUA_CPATH": path + ";;"
    }


def launch_python(build):
    file = "_polynats" + sysconfig.get_config_var("EXT_SUFFIX")
    path = os.path.dirname(os.path.abspath(folder_of(build, file)))
    return [sys.executable, "-S", "-B", script("py")], {"PYTHONPATH": path}


def launch_ruby(build):
    return [shutil.which("ruby"), script("rb")], {"RUBYLIB": os.path.join(build, "ruby")}


def launch_tcl(build):
    return [shutil.which("tclsh"), script("tcl")], {
        "TCLLIBPATH": folder_of(build, "polynats_tcl.so")
    }


LANGUAGES = {
    "c": launch_c,
    "lua": launch_lua,
    "python": launch_python,
    "ruby": launch_ruby,
    "tcl": launch_tcl,
}


class Worker:
    """One worker process: its lines are read by a thread."""

    def __init__(self, language, build, more, mode, url, **words):
        argv, env = LANGUAGES[language](build)
        argv += [
            mode,
            url,
            *("%s=%s" % (key.replace("__", "+"), value) for key, value in words.items()),
        ]
        self.language = language
        self.events = []  # (name, when)
        self.told = {}  # a word -> how many events were there by then
        self.facts = {}
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            argv,
            env={**os.environ, **env, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            name, *rest = line.split()
            with self.news:
                if name == "event":
                    self.events.append((rest[0], float(rest[1])))
                elif name == "done":
                    self.facts = {
                        key: float(value) for key, value in (fact.split("=") for fact in rest)
                    }
                else:
                    self.told[name] = len(self.events)
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def wait_for(self, word, seconds=END_SECONDS):
        """Until it has told this word; it waits for answer() then."""
        deadline = time.monotonic() + seconds
        with self.news:
            while word not in self.told:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failed("%s did not come to '%s'" % (self.language, word))
                self.news.wait(0.2)

    def answer(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self, seconds=END_SECONDS):
        """What it told at its end."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed("%s hangs" % self.language) from None
        self.thread.join(5)
        if code != 0 or not self.facts:
            raise Failed("%s ended with %s" % (self.language, code))
        return self.facts

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # ---- what the system says of it ----

    def status(self, field):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return line.split()[1]
        raise Failed("no %s" % field)

    def resident(self):
        return int(self.status("VmRSS")) * 1024

    def threads(self):
        return int(self.status("Threads"))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def stands(self):
        return self.descriptors(), self.threads()
