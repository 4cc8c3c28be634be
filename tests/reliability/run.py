#!/usr/bin/env python3
"""The reliability tests that are the same in every language: see README.md.

    tests/reliability/run.py --build build/dev --server /path/to/nats-server [--full] [--test kill] [--language c]

Each test prints a line of figures per language; the exit status is 1 when one of them is over its mark.
"""

import argparse
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

from workers import LANGUAGES, Failed, Worker  # puts the folders of the next ones onto the path

import jetstream
import natsd
import proxy
from badbytes import LARGE, BadServer, bad_lines
from beside import Clock, Stalls, Watch
from judge import check, each, in_words, percentile, tell

MIB = 1 << 20
# Sanitizers keep freed memory for a while, and take their time.
MEASURED = os.environ.get("POLYNATS_PATIENCE", "1") == "1"
# What an interpreter lets lie before it collects: Ruby's two limits for what C takes, and while it sweeps.
GARBAGE = {"ruby": 112 * MIB}
# Lua has none; Tcl 8.6 with threads locks itself out when a signal comes while it looks for signals (Tcl_AsyncMark
# within Tcl_AsyncInvoke), which happens within a minute of a thousand a second.
NO_HANDLERS = ("lua", "tcl")
GROWN_MAX = {
    "ruby": 4.0
}  # MiB, where it is not 1: Ruby's own heap while it warms up, however long it goes on
INFO_LINE = 2.5  # MiB: the buffer of the longest line there is, which the allocator may keep or not
OPEN_MAX = 100  # descriptors of clients that were closed, and await their collection
SLACK = 0.05  # of a call over its timeout
WAIT_MAX = 1.0  # reconnect_wait_max of the workers
STATES = ("connected", "disconnected", "reconnected")


class Bench:
    """What one test needs: servers, workers, files, all of them gone at its end."""

    def __init__(self, args):
        self.args = args
        self.full = args.full
        self.folder = tempfile.mkdtemp(prefix="reliability-")
        self.servers = []
        self.workers = []
        self.closers = []
        self.env = {}
        self.dice = random.Random(args.seed)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        for worker in self.workers:
            worker.kill()
        for close in self.closers:
            close()
        for server in self.servers:
            server.end()
        shutil.rmtree(self.folder)

    def server(self, config="core"):
        server = natsd.Server(self.args.server, config)
        self.servers.append(server)
        server.start()
        return server

    def proxy(self, server):
        link = proxy.Proxy(server.port)
        self.closers.append(link.close)
        return link

    def path(self, name):
        return os.path.join(self.folder, name)

    def touch(self, name):
        open(self.path(name), "w", encoding="ascii").close()

    def trust(self, path):
        """The system's certificates are many, and take long to read: have this one in their place."""
        self.env = {"SSL_CERT_FILE": path, "SSL_CERT_DIR": self.folder}

    def start(self, language, mode, url, **words):
        worker = Worker(
            language, self.args.build, self.env, mode, url, until=self.path("until"), **words
        )
        self.workers.append(worker)
        return worker

    def start_all(self, mode, port, **words):
        """A worker of each language, with subjects of its own; all are ready."""
        url = port if isinstance(port, str) else "nats://127.0.0.1:%d" % port
        for language in self.args.languages:
            self.start(language, mode, url, subject="work." + language, **words)
        return self.together("ready")

    def together(self, word):
        for worker in self.workers:
            worker.wait_for(word)
        return list(self.workers)

    def go(self):
        for worker in self.workers:
            worker.answer()


# ---- 7: the server is killed while everybody publishes ----


def check_accounts(facts):
    """What was accepted came back, or is told of as lost or unconfirmed; nothing came twice."""
    accepted, received, lost = facts["accepted"], facts["received"], facts["stat_lost"]
    told = in_words(
        {key: facts[key] for key in ("accepted", "received", "stat_lost", "stat_unconfirmed")}
    )
    check(
        facts["stat_out_msgs"] == accepted, "out_msgs=%d, but %s" % (facts["stat_out_msgs"], told)
    )
    check(facts["stat_refused"] == facts["refused"], "refused: %d" % facts["stat_refused"])
    check(received <= accepted - lost, "some came that were told to be lost: " + told)
    check(received >= accepted - lost - facts["stat_unconfirmed"], "some are nowhere: " + told)
    check(facts["disorder"] == 0, "%d came twice, or out of order" % facts["disorder"])
    check(
        facts["stat_received"] == facts["received"] + facts["stat_dropped"] + facts["stat_pending"],
        "received, and neither delivered nor dropped",
    )


def returns(worker, downs, ups):
    """Seconds from each return of the server until the worker was connected again."""
    back = [when for name, when in worker.events if name == "reconnected"]
    found = []
    for number, up in enumerate(ups):
        until = downs[number + 1] if number + 1 < len(downs) else float("inf")
        mine = [when for when in back if downs[number] < when < until]
        check(mine, "not connected again before kill %d" % (number + 1))
        found.append(max(0.0, mine[0] - up))
    return found


def kill(bench):
    kills, down, up = (200, (0.1, 3.0), (2.2, 3.0)) if bench.full else (4, (0.1, 0.4), (1.2, 1.5))
    kills = bench.args.count or kills
    server = bench.server()
    rate = (bench.args.rate or (100000 if bench.full else 20000)) / len(bench.args.languages)
    workers = bench.start_all(
        "echo",
        server.port,
        rate=rate,
        size=64,
        flush=0.25,
        __reconnect_wait_max=WAIT_MAX,
        __reconnect_buffer=2000000 if bench.full else 50000,
    )
    bench.go()
    downs, ups = [], []
    for _ in range(kills):
        time.sleep(bench.dice.uniform(*up))
        downs.append(time.monotonic())
        server.kill()
        time.sleep(bench.dice.uniform(*down))
        server.start()
        ups.append(time.monotonic())
    time.sleep(2 * WAIT_MAX)
    late = WAIT_MAX + 1 if bench.full and MEASURED else WAIT_MAX + 2
    bench.touch("until")

    def judge(worker):
        facts = worker.end()
        waits = returns(worker, downs, ups)
        tell(
            "kill",
            worker.language,
            kills=kills,
            rate=facts["accepted"] / facts["seconds"],
            accepted=facts["accepted"],
            received=facts["received"],
            lost=facts["stat_lost"],
            unconfirmed=facts["stat_unconfirmed"],
            refused=facts["refused"],
            back_p50=percentile(waits, 50),
            back_p99=percentile(waits, 99),
            back_max=max(waits),
        )
        check_accounts(facts)
        check(facts["refused"] > 0, "the reconnect buffer was never full")
        check(
            percentile(waits, 99) <= late,
            "connected again %.2f s after the server" % percentile(waits, 99),
        )

    each(workers, judge)


# ---- 11: nothing passes, and nobody is told ----


def finds(worker, downs):
    """Seconds from each beginning of a partition until the worker knew that the connection is lost. On a
    machine that stands still a worker may be without one then: there is nothing to find out."""
    found = []
    for down in downs:
        states = [name for name, when in worker.events if name in STATES and when <= down]
        lost = [when for name, when in worker.events if name == "disconnected" and when > down]
        without = states and states[-1] == "disconnected"
        found.append(0.0 if without else min(lost, default=float("inf")) - down)
    return found


def partition(bench):
    cycles, length, pings = (50, (4.0, 8.0), 1.0) if bench.full else (1, (1.5, 1.6), 0.3)
    cycles = bench.args.count or cycles
    link = bench.proxy(bench.server())
    workers = bench.start_all(
        "echo",
        link.port,
        rate=1000,
        size=64,
        flush=0.2,
        __reconnect_wait_max=WAIT_MAX,
        __ping_interval=pings,
        __max_pings_out=2,
        __write_deadline=2.0,
        __connect_timeout=1.0,
    )
    stalls = Stalls(workers)
    bench.closers.append(stalls.end)
    bench.go()
    downs, ups = [], []
    for _ in range(cycles):
        time.sleep(bench.dice.uniform(2.5, 3.0))
        downs.append(time.monotonic())
        link.command("hole")
        time.sleep(bench.dice.uniform(*length))
        ups.append(time.monotonic())
        link.command("cut")  # what was under way does not arrive late
        link.command("heal")
    time.sleep(2 * WAIT_MAX + 1)
    bench.touch("until")
    stalls.end()

    def judge(worker):
        stall = stalls.of(worker)
        facts = worker.end()
        waits = returns(worker, downs, ups)
        found = finds(worker, downs)
        tell(
            "partition",
            worker.language,
            cycles=cycles,
            found_max=max(found),
            back_p50=percentile(waits, 50),
            back_max=max(waits),
            publish_max=facts["slowest_publish"],
            flush_max=facts["slowest_flush"],
            get_max=facts["slowest_get"],
            machine_stall=stall,
            accepted=facts["accepted"],
            received=facts["received"],
            lost=facts["stat_lost"],
            unconfirmed=facts["stat_unconfirmed"],
        )
        check_accounts(facts)
        check(max(found) <= 3 * pings * 1.1 + stall, "found out after %.2f s" % max(found))
        check(max(waits) <= WAIT_MAX + 1 + stall, "connected again after %.2f s" % max(waits))
        for call, most in (("publish", 2.0), ("flush", 0.5), ("get", 0.005)):
            took = facts["slowest_" + call]
            check(
                took <= most + SLACK + stall, "%s took %.3f s, more than %.3f" % (call, took, most)
            )

    each(workers, judge)


# ---- 7 and 11 again, for programs that call nothing meanwhile: the keeper alone is at work ----


def idle(bench):
    faults, length, pings = (40, (2.0, 5.0), 1.0) if bench.full else (2, (1.2, 1.5), 0.3)
    faults = bench.args.count or faults
    server = bench.server()
    link = bench.proxy(server)
    workers = bench.start_all(
        "idle",
        link.port,
        __reconnect_wait_max=WAIT_MAX,
        __ping_interval=pings,
        __max_pings_out=2,
        __connect_timeout=1.0,
    )
    stalls = Stalls(workers)
    bench.closers.append(stalls.end)
    clock = Clock(server.port, ["work." + worker.language for worker in workers])
    bench.closers.append(clock.end)
    downs, ups = [], []
    for number in range(faults):
        time.sleep(bench.dice.uniform(0.5, 0.8) if number == 0 else 2 * WAIT_MAX + 0.5)
        downs.append(time.monotonic())
        if number % 2 == 0:
            server.kill()
            time.sleep(bench.dice.uniform(*length))
            server.start()
            ups.append(time.monotonic())
            continue
        link.command("hole")
        time.sleep(bench.dice.uniform(*length) + 3 * pings)
        ups.append(time.monotonic())
        link.command("cut")
        link.command("heal")
    time.sleep(2 * WAIT_MAX + 0.5)
    clock.end()
    stalls.end()
    bench.go()

    def judge(worker):
        stall = stalls.of(worker)
        facts = worker.end()
        got = [when for name, when in worker.events if name == "got"]
        waits = []
        for number, up in enumerate(ups):
            until = downs[number + 1] if number + 1 < len(downs) else float("inf")
            mine = [when for when in got if up < when < until]
            check(mine, "deaf after fault %d" % (number + 1))
            waits.append(mine[0] - up)
        tell(
            "idle",
            worker.language,
            faults=faults,
            received=facts["received"],
            back_p50=percentile(waits, 50),
            back_max=max(waits),
            machine_stall=stall,
        )
        late = WAIT_MAX + 1 + Clock.TICK + stall
        check(max(waits) <= late, "the subscription was back after %.2f s" % max(waits))

    each(workers, judge)


# ---- 14: one subscription is hardly read ----


def flood(bench, port, count, rate):
    worker = Worker(
        "c",
        bench.args.build,
        {},
        "flood",
        "nats://127.0.0.1:%d" % port,
        subject="work.flood",
        count=count,
        rate=rate,
        size=1000,
    )
    bench.closers.append(worker.kill)
    worker.wait_for("ready")
    worker.answer()
    return worker.end(600)


def slow(bench):
    count, rate, limit = (5000000, 40000, 64 * MIB) if bench.full else (20000, 15000, 4 * MIB)
    count = bench.args.count or count
    first = count // 10 if bench.full else count
    groups = (
        [[language] for language in bench.args.languages] if bench.full else [bench.args.languages]
    )
    failures = []
    for group in groups:
        try:
            with Bench(bench.args) as one:
                slow_ones(one, group, first, count, rate, limit)
        except Failed as problem:
            failures.append(str(problem))
    check(not failures, "; ".join(failures))


def slow_ones(bench, languages, first, count, rate, limit):
    server = bench.server()
    for language in languages:
        bench.start(
            language,
            "slow",
            "nats://127.0.0.1:%d" % server.port,
            subject="work.flood",
            probe="probe." + language,
            limit=limit,
            read_until=bench.path("read_until"),
        )
    workers = bench.together("ready")
    bench.go()
    flood(bench, server.port, first, rate)
    bench.touch("read_until")
    bench.together("read")
    before = {worker: worker.resident() for worker in workers}
    bench.go()
    stalls = Stalls(workers)
    bench.closers.append(stalls.end)
    watch = Watch(workers)
    bench.closers.append(watch.end)
    took = flood(bench, server.port, count, rate)
    bench.touch("until")
    bench.together("full")
    most = watch.end().most
    stalls.end()
    bench.go()

    def judge(worker):
        stall = stalls.of(worker)
        facts = worker.end(600)
        grown = most[worker] - before[worker]
        told = [name for name, _ in worker.events[worker.told["read"] : worker.told["full"]]]
        tell(
            "slow",
            worker.language,
            messages=count,
            seconds=took["seconds"],
            dropped=facts["dropped"],
            delivered=facts["delivered"],
            limit_mib=limit // MIB,
            grown_mib=grown / MIB,
            events=told.count("slow_consumer"),
            p99_read_us=facts["p99_read"] * 1e6,
            p99_slow_us=facts["p99_slow"] * 1e6,
            machine_stall=stall,
        )
        check(
            facts["received"] == facts["delivered"] + facts["dropped"] + facts["pending"],
            in_words(facts),
        )
        check(
            facts["received"] == first + count, "%d came of %d" % (facts["received"], first + count)
        )
        check(facts["dropped"] > 0 and told.count("slow_consumer") == 1, "events: %s" % told)
        most_grown = limit * 1.1 + 4 * MIB + GARBAGE.get(worker.language, 0)
        check(not MEASURED or grown <= most_grown, "grew by %.1f MiB" % (grown / MIB))
        most_late = max(2 * facts["p99_read"], 0.0005 if bench.full else 0.1) + stall
        check(
            not MEASURED or facts["p99_slow"] <= most_late,
            "p99 of the other one: %.6f, was %.6f" % (facts["p99_slow"], facts["p99_read"]),
        )

    each(workers, judge)


# ---- 31: connections that succeed, and others ----


def dead_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def connects(bench):
    count = bench.args.count or (10000 if bench.full else 160)
    good = bench.server().port
    bench.trust(os.path.join(natsd.run_keys().values["KEYS"], "good.pem"))
    bad = BadServer([b"GARBAGE\r\n"], instead_of_info=True)
    bench.closers.append(bad.close)
    urls = [
        "nats://127.0.0.1:%d" % good,
        "nats://127.0.0.1:%d" % dead_port(),
        "nats://wrong@127.0.0.1:%d" % bench.server("token").port,
        "nats://127.0.0.1:%d" % bad.port,
        "tls://127.0.0.1:%d" % good,
        "nats://127.0.0.1:%d" % bench.server("tls:good").port,
        "nats://127.0.0.1:%d" % good,
        "nats://127.0.0.1:%d,nats://127.0.0.1:%d" % (bad.port, good),
    ]
    for language in bench.args.languages:
        bench.start(
            language, "connects", "|".join(urls), warm=40, count=count, __connect_timeout=5.0
        )
    workers = bench.together("warm")
    before = {worker: (worker.stands(), worker.resident()) for worker in workers}
    began = time.monotonic()
    bench.go()
    watch = Watch(workers)
    bench.closers.append(watch.end)

    def judge(worker):
        stood, resident = before[worker]
        worker.wait_for("over", 1200)
        seconds = time.monotonic() - began
        stands = settle(worker, stood)
        grown = (worker.resident() - resident) / MIB
        worker.answer()
        facts = worker.end()
        opened = watch.open[worker] - stood[0]
        tell(
            "connects",
            worker.language,
            good=facts["good"],
            bad=facts["bad"],
            seconds=seconds,
            fds=stands[0],
            threads=stands[1],
            open_max=opened,
            grown_mib=grown,
        )
        check(stands == stood, "descriptors and threads: %s before, %s now" % (stood, stands))
        check(facts["good"] * len(urls) == 3 * (count + 40), in_words(facts))
        check(
            not bench.full or grown < GROWN_MAX.get(worker.language, 1), "grew by %.2f MiB" % grown
        )
        check(opened <= OPEN_MAX, "%d descriptors were open at once" % opened)

    each(workers, judge)


def settle(worker, stood):
    """Threads that end take a moment to be gone for the system too."""
    deadline = time.monotonic() + 3
    while worker.stands() != stood and time.monotonic() < deadline:
        time.sleep(0.02)
    return worker.stands()


# ---- 30: signals, a thousand a second ----


def signals(bench):
    for name, length in (("alarm", 60 if bench.full else 2), ("stop", 20 if bench.full else 1)):
        with Bench(bench.args) as one:
            signals_of(one, name, length)


def disturb(workers, name, until):
    """Interrupt all of them again and again. Returns how often."""
    sent = 0
    kinds = [signal.SIGALRM] if name == "alarm" else [signal.SIGSTOP, signal.SIGCONT]
    pause = 0.001 if name == "alarm" else 0.01
    due = time.monotonic()
    while due < until:
        for worker in workers:
            if worker.process.poll() is None:
                for number in kinds:
                    os.kill(worker.process.pid, number)
        sent += 1
        due += pause
        time.sleep(max(0.0, due - time.monotonic()))
    return sent


def pipe_bits(worker):
    """What SIGPIPE does there: ignored, caught."""
    bit = 1 << (signal.SIGPIPE - 1)
    return [bool(int(worker.status(field), 16) & bit) for field in ("SigIgn", "SigCgt")]


def signals_of(bench, name, length):
    server = bench.server()
    languages = [one for one in bench.args.languages if name == "stop" or one not in NO_HANDLERS]
    for language in languages:
        bench.start(
            language,
            "rounds",
            "nats://127.0.0.1:%d" % server.port,
            subject="work." + language,
            service="svc." + language,
            alarm=int(name == "alarm"),
        )
    workers = bench.together("ready")
    pipes = {worker: pipe_bits(worker) for worker in workers}
    bench.go()
    sent = disturb(workers, name, time.monotonic() + length)
    bench.touch("until")
    bench.together("over")

    def judge(worker):
        pipe = pipe_bits(worker)
        worker.answer()
        facts = worker.end()
        tell(
            "signals-" + name,
            worker.language,
            rounds=facts["rounds"],
            received=facts["received"],
            sent=sent,
            sent_per_second=sent / length,
            seen=facts["signals"],
        )
        check(pipe == pipes[worker], "SIGPIPE is handled otherwise than before")
        check(facts["rounds"] > 0 and facts["received"] == facts["expected"], in_words(facts))
        check(name != "alarm" or facts["signals"] > 0, "no signal was seen")

    each(workers, judge)


# ---- 3: bytes that no server should send ----


def badbytes(bench):
    lines = bad_lines()
    repeats = bench.args.count or (100 if bench.full else 2)
    for language in bench.args.languages:
        bad = BadServer(lines)
        bench.closers.append(bad.close)
        worker = bench.start(
            language,
            "echo",
            "nats://127.0.0.1:%d" % bad.port,
            subject="t",
            rate=0,
            size=16,
            flush=0,
            __reconnect_wait=0.001,
            __reconnect_wait_max=0.01,
        )
        worker.bad = bad
    workers = bench.together("ready")
    bench.go()
    stalls = Stalls(workers)
    bench.closers.append(stalls.end)
    warm = {}
    for at in (len(lines) * repeats // 5, len(lines) * repeats):
        for worker in workers:
            check(
                worker.bad.wait_for(at, 600),
                "%s: only %d sessions" % (worker.language, worker.bad.sessions),
            )
            warm.setdefault(worker, worker.resident())
    for worker in workers:
        worker.bad.calm.set()
        check(worker.bad.wait_for(worker.bad.sessions + 1, 20), "%s is not back" % worker.language)
        grown = (worker.resident() - warm[worker]) / MIB
        worker.sessions = worker.bad.sessions
        worker.grown = grown
    bench.touch("until")
    stalls.end()

    def judge(worker):
        stall = stalls.of(worker)
        facts = worker.end()
        lost = [name for name, _ in worker.events].count("disconnected")
        tell(
            "badbytes",
            worker.language,
            vectors=len(lines),
            sessions=worker.sessions,
            losses=lost,
            received=facts["received"],
            slowest_back=worker.bad.slowest,
            machine_stall=stall,
            grown_mib=worker.grown,
        )
        check(
            facts["received"] == worker.bad.sent,
            "%d messages of %d" % (facts["received"], worker.bad.sent),
        )
        check(
            worker.bad.slowest <= 1.01 + stall, "connected again after %.2f s" % worker.bad.slowest
        )
        check(
            not bench.full or worker.grown < GROWN_MAX.get(worker.language, INFO_LINE),
            "grew by %.2f MiB" % worker.grown,
        )

    each(workers, judge)


# ---- 5: bytes that would take much memory ----


def caps(bench):
    repeats = bench.args.count or (5 if bench.full else 1)
    for language in bench.args.languages:
        bad = BadServer(LARGE, large=True)
        bench.closers.append(bad.close)
        worker = bench.start(
            language,
            "echo",
            "nats://127.0.0.1:%d" % bad.port,
            subject="t",
            rate=0,
            size=16,
            flush=0,
            __reconnect_wait=0.001,
            __reconnect_wait_max=0.01,
        )
        worker.bad = bad
    workers = bench.together("ready")
    before = {worker: worker.resident() for worker in workers}
    bench.go()

    def judge(worker):
        done = worker.bad.wait_for(len(LARGE) * repeats + 1, 60)
        worker.bad.calm.set()
        grown = int(worker.status("VmHWM")) * 1024 - before[worker]
        check(done, "only %d sessions" % worker.bad.sessions)
        check(worker.bad.wait_for(worker.bad.sessions + 1, 20), "it is not back")
        sessions = worker.bad.sessions
        bench.touch("until")
        facts = worker.end()
        lost = [name for name, _ in worker.events].count("disconnected")
        tell(
            "caps",
            worker.language,
            sessions=sessions,
            losses=lost,
            received=facts["received"],
            grown_most_mib=grown / MIB,
        )
        check(
            facts["received"] == worker.bad.sent,
            "%d messages of %d" % (facts["received"], worker.bad.sent),
        )
        check(not MEASURED or grown <= 16 * MIB, "grew by %.1f MiB" % (grown / MIB))

    each(workers, judge)


TESTS = {
    "kill": kill,
    "partition": partition,
    "idle": idle,
    "slow": slow,
    "connects": connects,
    "signals": signals,
    "badbytes": badbytes,
    "caps": caps,
    "js-publish": jetstream.publish,
    "js-ack": jetstream.acknowledge,
    "js-rolling": jetstream.rolling,
}


def main():
    words = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    words.add_argument("--build", required=True)
    words.add_argument("--server", required=True)
    words.add_argument("--test", action="append", choices=TESTS)
    words.add_argument("--language", action="append", choices=LANGUAGES, dest="languages")
    words.add_argument(
        "--without", action="append", default=[], help="a language that was not built"
    )
    words.add_argument("--full", action="store_true")
    words.add_argument(
        "--count", type=int, help="kills, cycles, connects, in place of the form's own number"
    )
    words.add_argument("--rate", type=float, help="messages a second of all languages together")
    words.add_argument("--seed", type=int, default=7)
    args = words.parse_args()
    args.languages = [one for one in args.languages or LANGUAGES if one not in args.without]
    failed = 0
    for name in args.test or TESTS:
        began = time.monotonic()
        try:
            with Bench(args) as bench:
                TESTS[name](bench)
        except Failed as problem:
            failed += 1
            print("FAILED %s: %s" % (name, problem), flush=True)
        print("%s took %.1f s" % (name, time.monotonic() - began), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("ended by SIGTERM"))
    sys.exit(main())
