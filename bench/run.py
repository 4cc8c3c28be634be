#!/usr/bin/env python3
"""Run every work with every program on one nats-server, and write the results.

The programs take turns within a round, so that whatever slows the machine down for a while slows all of them down;
figures are medians over the rounds, ratios are taken within a round. bench/README.md tells how to read them.
"""

import argparse
import dataclasses
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import sys

import instructions
import programs
import server
import summary


SLOW = {"polynats-aio": 3, "polynats-green": 3, "nats-py": 10, "goingnats": 10}


@dataclasses.dataclass(frozen=True)
class Case:
    """One line of the results: what is done, with how much."""
    work: str
    size: int
    msgs: int
    quick_msgs: int
    names: tuple = programs.NAMES
    over: tuple = tuple(server.OVER)
    storage: str | None = None  # of the stream; None: not on JetStream

    @property
    def name(self):
        """Of the work in the results."""
        return f"{self.work}-{self.storage}" if self.storage else self.work

    def msgs_for(self, quick):
        return self.quick_msgs if quick else self.msgs

    def fit_for(self, name):
        """With as many messages as that program gets through in some seconds."""
        share = SLOW.get(name, 1) if self.work in ("pub", "sub") or self.storage else 1
        return dataclasses.replace(self, msgs=self.msgs // share,
                                   quick_msgs=self.quick_msgs // share)


CASES = (
    Case("pub", 16, 4_000_000, 200_000),
    Case("pub", 128, 3_000_000, 200_000),
    Case("sub", 16, 2_000_000, 200_000, over=("tls", "ws")),
    Case("sub", 128, 2_000_000, 200_000),
    Case("req", 128, 10_000, 1_000),
    Case("respond", 128, 10_000, 1_000),
    Case("lone", 128, 1_000, 200),
    Case("subs", 0, 10_000, 10_000, names=("polynats",)),
    Case("idle", 0, 50, 50, names=("polynats",)),
)
# JetStream: who can. What is read was put there before the first round, by FILLER.
FILLED, QUICK_FILLED, FILLER = 200_000, 20_000, "polynats"
JS_NAMES = ("raw", "polynats", "cnats", "gonats", "polynats-lua", "polynats-ruby", "polynats-tcl",
            "polynats-python", "polynats-aio", "nats-py")
FAST_NAMES = ("polynats", "polynats-lua", "polynats-ruby", "polynats-tcl", "polynats-python",
              "polynats-aio")
JS_CASES = tuple(
    Case(work, 128, FILLED, QUICK_FILLED, FAST_NAMES if work == "js-fast" else JS_NAMES, ("nats",),
         storage)
    for work in ("js-pub", "js-fast", "js-fetch", "js-consume", "js-ordered")
    for storage in ("memory", "file"))
JS = "js"  # stands for all of them
CORE_WORKS = tuple(dict.fromkeys(case.work for case in CASES)) + ("instructions",)
JS_WORKS = tuple(dict.fromkeys(case.work for case in JS_CASES))
WORKS = CORE_WORKS + (JS,) + JS_WORKS
WHOLE_RUNS = 3  # rounds from which on medians are worth keeping in bench/results
# Who runs where when pinned: the measured program has a core of its own, the server and what feeds it share the other.
CLIENT_CORE, SERVER_CORE = sorted(os.sched_getaffinity(0))[:2] if len(os.sched_getaffinity(0)) > 1 \
    else (None, None)


def say(text):
    print(text, flush=True)


# ---- one measurement ----

def _program(options, url, name, case, subject, core):
    settings = options.set if name.startswith("polynats") else ()
    return programs.Program(options.build, name, case.work, url, case.msgs_for(options.quick),
                            case.size, subject, core, settings, case.storage)


def _receive(options, url, name, case, subject, cores):
    """The stream always comes from the raw publisher: all receivers face the same one."""
    with _program(options, url, name, case, subject, cores[0]) as receiver:
        receiver.wait_ready()
        source = dataclasses.replace(case, work="pub")
        with _program(options, url, "raw", source, subject, cores[1]) as publisher:
            row = receiver.result()
            publisher.result()
    return row


def _request(options, url, requester, responder, case, subject, cores):
    """Times seen by the requester; the work is named after the side that is measured."""
    serve = dataclasses.replace(case, work="respond")
    ask = dataclasses.replace(case, work="req")
    ask_core, serve_core = cores if case.work == "req" else reversed(cores)
    with _program(options, url, responder, serve, subject, serve_core) as server_side:
        server_side.wait_ready()
        with _program(options, url, requester, ask, subject, ask_core) as client_side:
            row = client_side.result()
        served = server_side.result()
    if case.work == "respond":
        row |= {"name": responder, "work": "respond",
                "client_cpu_ns_per_msg": served["client_cpu_ns_per_msg"]}
    return row


def measure(options, url, name, case, subject, cores):
    if case.work == "sub":
        return _receive(options, url, name, case, subject, cores)
    if case.work == "req":
        return _request(options, url, name, "raw", case, subject, cores)
    if case.work == "respond":
        return _request(options, url, "raw", name, case, subject, cores)
    with _program(options, url, name, case, subject, cores[0]) as program:
        return program.result() | {"work": case.name}


def fill(options, url, cases, core):
    """The streams that will be read."""
    for storage in dict.fromkeys(case.storage for case in cases if case.storage):
        case = Case("js-fill", 128, FILLED, QUICK_FILLED, storage=storage)
        with _program(options, url, FILLER, case, f"filled.{storage}", core) as program:
            program.result()


# ---- the rounds ----

def _wanted(options, case):
    return [name for name in case.names
            if name in options.names and programs.command(options.build, name)]


def _tell(row):
    if row["bytes_each"] is not None:
        return f"{row['bytes_each']:.0f} bytes"
    if row["p50_us"] is not None:
        return f"p50 {row['p50_us']:.1f} us, p99 {row['p99_us']:.1f} us"
    return f"{row['msgs_per_s'] / 1e6:.2f} M/s, {row['client_cpu_ns_per_msg']:.0f} ns client CPU"


def _timed(options, nats, name, case, subject, cores):
    """With what the server has computed meanwhile, for each message of it."""
    before = nats.cpu_ns()
    row = measure(options, nats.url, name, case, subject, cores)
    return row | {"server_cpu_ns_per_msg": (nats.cpu_ns() - before) / row["msgs"]}


def _round(options, nats, number, pin, cases, failures):
    """One round: each case, and within it each program, the first of them changing from round to round."""
    cores = (CLIENT_CORE, SERVER_CORE) if pin == "split" else (None, None)
    for case in cases:
        names = _wanted(options, case)
        start = number % len(names) if names else 0
        for name in names[start:] + names[:start]:
            subject = f"bench.{case.name}"
            label = f"[{number + 1}/{options.runs}] {case.name} {case.size} B {name}"
            try:
                row = _timed(options, nats, name, case.fit_for(name), subject, cores)
            except programs.Failed as error:
                failures.append(f"{label}: {error}")
                say(f"{label}: FAILED: {error}")
                continue
            say(f"{label}: {_tell(row)}")
            yield row | {"round": number, "pin": pin}


def run_rounds(options, failures):
    rows = []
    pins = ("split", "none") if options.pin == "both" else (options.pin,)
    for pin in pins:
        core = SERVER_CORE if pin == "split" else None
        cases = [case for case in options.cases
                 if pin == pins[0] or not (case.storage or case.work in summary.MEMORY_WORKS)]
        with server.Server(options.server, core, options.over) as nats:
            fill(options, nats.url, cases, CLIENT_CORE if pin == "split" else None)
            for number in range(options.runs):
                rows.extend(_round(options, nats, number, pin, cases, failures))
    order = [(case.name, case.size) for case in options.cases]
    names = list(programs.NAMES)
    rows.sort(key=lambda row: (order.index((row["work"], int(row["size"]))), pins.index(row["pin"]),
                               names.index(row["name"]), row["round"]))
    return rows


def count_instructions(options):
    counts = []
    for work in instructions.WORKS:
        for name in instructions.PROGRAMS:
            if name not in options.names or not instructions.counts_well(name, work):
                continue
            figure = instructions.per_message(
                options.build, name, work,
                msgs=instructions.MSGS[work] // (5 if options.quick else 1),
                settings=options.set if name.startswith("polynats") else ())
            if figure is not None:
                say(f"instructions {work} {name}: {figure:.1f} per message")
                counts.append((work, instructions.SIZES[work], name, figure))
    return summary.instruction_rows(counts)


# ---- facts ----

def _cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def _output(words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True,
                              cwd=programs.ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _go_client_version():
    with open(os.path.join(programs.ROOT, "bench", "gonats", "go.mod"), encoding="utf-8") as file:
        found = re.search(r"nats\.go v(\S+)", file.read())
    return found.group(1) if found else "unknown"


def _package_version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def gather_facts(options):
    """What a reader needs to judge the numbers; nothing that names the machine."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "commit": _output(["git", "describe", "--always", "--dirty"]),
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "kernel": ".".join(platform.release().split(".")[:2]),
        "server": server.version(options.server),
        "cnats": _output(["pkg-config", "--modversion", "libnats"]),
        "nats.go": _go_client_version(),
        "nats-py": _package_version("nats-py"),
        "goingnats": _package_version("goingnats"),
        "runs": options.runs,
        "quick": "yes" if options.quick else "no",
    }


# ---- command line ----

def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


def read_options():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=_positive, default=5, help="rounds (default 5)")
    parser.add_argument("--quick", action="store_true",
                        help="few messages and one round: shows that all works, not how fast it is")
    parser.add_argument("--only", action="append", metavar="WORK", choices=WORKS,
                        help=f"this work only; may be repeated: {', '.join(WORKS)}. js is all of "
                             "JetStream, and a run of its own: without --only it is left out")
    parser.add_argument("--program", action="append", metavar="NAME", choices=programs.NAMES,
                        help="this program only (raw stays); may be repeated: "
                             + ", ".join(programs.NAMES))
    parser.add_argument("--pin", choices=("none", "split", "both"), default=None,
                        help="split: measured program on core 0, server and feeder on core 1; "
                             "default: both ways (with --quick or --only js: split)")
    parser.add_argument("--over", choices=tuple(server.OVER), default="nats",
                        help="TCP, TLS or WebSocket, each against the raw loop over the same "
                             "(default: nats, which is TCP)")
    parser.add_argument("--csv", metavar="FILE",
                        help="summary goes there (default: bench/results/latest.csv of a whole "
                             "run or with --readme, else build/bench/results/latest.csv; with "
                             "--only js it is jetstream.csv)")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE",
                        help="an option of polynats, such as keeper=off")
    parser.add_argument("--check-flags", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--server", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    only = set(options.only or CORE_WORKS)
    options.jetstream = only == {JS}
    if options.pin is None:
        once = options.quick or options.jetstream
        options.pin = "none" if cores < 2 else "split" if once else "both"
    if options.quick:
        options.runs = 1
    only |= set(JS_WORKS) if JS in only else set()
    options.whole = options.runs >= WHOLE_RUNS and not (
        options.quick or options.program or options.set or options.over != "nats"
        or (options.only and not options.jetstream))
    options.cases = [case for case in CASES + JS_CASES
                     if case.work in only and options.over in case.over]
    options.instructions = "instructions" in only and options.over == "nats"
    options.names = ("raw",) + tuple(options.program) if options.program else programs.NAMES
    if options.over != "nats":
        options.names = [name for name in options.names if name == "raw" or
                         name.startswith("polynats")]
    if options.readme and options.only and not options.jetstream:
        parser.error("--readme: a table in it is of all core works, or with --only js of JetStream")
    if options.pin != "none" and cores < 2:
        parser.error("--pin: there is one core only")
    return options


def write_results(options, facts, rows, runs):
    import plot  # here, so that --help does without the plotting library
    kept = options.whole or options.readme
    folder = os.path.join(programs.ROOT, "bench") if kept else options.build
    name = "jetstream.csv" if options.jetstream else "latest.csv"
    csv_path = options.csv or os.path.join(folder, "results", name)
    os.makedirs(os.path.dirname(os.path.abspath(csv_path)), exist_ok=True)
    stem = os.path.splitext(csv_path)[0]
    summary.write_csv(csv_path, facts, summary.COLUMNS, rows)
    summary.write_csv(f"{stem}-runs.csv", facts, ("pin", "round") + programs.COLUMNS +
                      ("server_cpu_ns_per_msg",), runs)
    table = summary.markdown(facts, rows)
    with open(f"{stem}.md", "w", encoding="utf-8") as file:
        file.write(table)
    say("\n" + table)
    plot.draw(csv_path, stem)
    say(f"wrote {os.path.relpath(csv_path)} and beside it -runs.csv, .md, .png and .svg")
    if not options.readme:
        return True
    readme_table = summary.markdown(facts, summary.for_readme(rows))
    marks = summary.MARKS["js" if options.jetstream else "core"]
    if summary.update_readme(os.path.join(programs.ROOT, "README.md"), readme_table, marks):
        return True
    say(f"README.md has no {' … '.join(marks)}: not updated")
    return False


def main():
    options = read_options()
    if options.check_flags:
        return 0
    facts = gather_facts(options)
    for name in options.names:
        if programs.command(options.build, name) is None:
            say(f"{name}: not built, left out")
    failures = []
    runs = run_rounds(options, failures) if options.cases else []
    rows = summary.summarize(runs)
    if options.instructions:
        rows += count_instructions(options)
    if not rows:
        say("nothing was measured")
        return 1
    written = write_results(options, facts, rows, runs)
    for failure in failures:
        say(f"failed: {failure}")
    return 1 if failures or not written else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
