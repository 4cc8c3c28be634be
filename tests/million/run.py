#!/usr/bin/env python3
"""So many messages through a stream in a language, and the memory of its process: see README.md.

    tests/million/run.py --build build/dev --server /path/to/nats-server --language c [--count 1000000]
"""

import argparse
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "conformance"), os.path.join(HERE, "..", "reliability")]

import natsd  # noqa: E402
import workers  # noqa: E402

MIB = 1 << 20
PHASES = ("published", "consumed")
# MiB that the process may grow by, from a quarter of the messages on to the last one. Ruby's heap goes on
# warming up, and it collects what C took when that is 16 to 128 MiB.
GROWN_MAX = {"c": 1, "lua": 2, "python": 2, "ruby": 8, "tcl": 2}
SAMPLE_SECONDS = 0.02


def command(language, build):
    """(words, environment) of the program in that language."""
    if language == "c":
        return [os.path.join(workers.folder_of(build, "million"), "million")], {}
    words, more = workers.LANGUAGES[language](build)
    script = os.path.basename(words[-1]).replace("worker", "million")
    return words[:-1] + [os.path.join(HERE, script)], more


def resident(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0  # it has ended


class Watched:
    """The program as it runs: what it has told, and its memory in each phase since a quarter of it."""

    def __init__(self, argv, env, count):
        self.count = count
        self.base = {}
        self.peak = {}
        self.took = {}
        self.done = None
        self.phase = None
        self.began = time.monotonic()
        self.process = subprocess.Popen(argv, env={**os.environ, **env}, stdout=subprocess.PIPE,
                                        text=True)
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.sampler.start()

    def look(self):
        phase = self.phase
        if phase is not None:
            self.peak[phase] = max(self.peak[phase], resident(self.process.pid))

    def sample(self):
        while self.process.poll() is None:
            self.look()
            time.sleep(SAMPLE_SECONDS)

    def hear(self, what, number):
        if what not in self.base and number * 4 >= self.count:
            self.base[what] = self.peak[what] = resident(self.process.pid)
            self.phase = what
        if number == self.count:
            self.look()
            self.phase = None
            now = time.monotonic()
            self.took[what] = now - self.began
            self.began = now

    def run(self, seconds):
        killer = threading.Timer(seconds, self.process.kill)
        killer.start()
        try:
            for line in self.process.stdout:
                what, *numbers = line.split()
                if what == "done":
                    self.done = [int(number) for number in numbers]
                else:
                    self.hear(what, int(numbers[0]))
            return self.process.wait()
        finally:
            killer.cancel()
            self.process.kill()
            self.process.wait()


def judge(watched, code, language):
    if code != 0 or watched.done is None:
        return "%s ended with %s" % (language, code)
    if watched.done != [watched.count, watched.count, 0, 0]:
        return ("stored, acknowledged, to be acknowledged, to come: %s" % watched.done)
    for phase in PHASES:
        grown = (watched.peak[phase] - watched.base[phase]) / MIB
        print("%s: %d %s in %.1f s; from a quarter on %.1f MiB, at most %.2f MiB more (%d allowed)"
              % (language, watched.count, phase, watched.took[phase], watched.base[phase] / MIB,
                 grown, GROWN_MAX[language]))
        if grown > GROWN_MAX[language]:
            return "memory is not flat"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--language", required=True, choices=sorted(GROWN_MAX))
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3000, help="give up after that")
    args = parser.parse_args()
    server = natsd.Server(args.server, "jetstream")
    try:
        server.start()
        argv, env = command(args.language, args.build)
        watched = Watched(argv + ["nats://127.0.0.1:%d" % server.port, str(args.count)], env,
                          args.count)
        problem = judge(watched, watched.run(args.seconds), args.language)
    finally:
        server.end()
    if problem:
        sys.exit("FAILED: " + problem)


if __name__ == "__main__":
    main()
