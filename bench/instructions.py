#!/usr/bin/env python3
"""Instructions per message, counted by callgrind.

Each program runs twice, with n and with 2n messages, against bench/peer.c, which answers in a fixed way; the
difference divided by n is what one message costs, start-up cancelled. The figures do not depend on the machine's
speed and hardly on its load, so they can be compared from commit to commit.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

import programs

WORKS = ("pub", "sub", "req")
PROGRAMS = ("raw", "polynats", "polynats-lua", "polynats-python", "polynats-ruby",
            "polynats-tcl", "cnats")
SIZES = {"pub": 16, "sub": 128, "req": 128}
MSGS = {"pub": 50_000, "sub": 50_000, "req": 2_000}
TIME_LIMIT_S = 300


def count(build, name, work, size, msgs, settings=(), keep=None):
    """All instructions of one run, or None when the program is not there."""
    command = programs.command(build, name)
    if command is None:
        return None
    # The peer sends the stream; a requester asks some more times to warm up, which the difference cancels.
    peer = subprocess.Popen(
        programs.command(build, "peer") + ["serve", "--msgs", str(msgs), "--size", str(size)],
        stdout=subprocess.PIPE, text=True)
    try:
        url = f"nats://127.0.0.1:{peer.stdout.readline().strip()}"
        with tempfile.TemporaryDirectory() as folder:
            out = keep or os.path.join(folder, "callgrind.out")
            run = subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"] + command
                + [work, "--url", url, "--msgs", str(msgs), "--size", str(size)]
                + [word for setting in settings for word in ("--set", setting)],
                capture_output=True, text=True, timeout=TIME_LIMIT_S,
                env=programs.environment(build))
        found = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode != 0 or found is None:
            raise RuntimeError(f"{name} {work} under callgrind failed:\n{run.stderr[-2000:]}")
        return int(found.group(1))
    finally:
        if peer.poll() is None:
            peer.kill()
        peer.wait()
        peer.stdout.close()


def per_message(build, name, work, size=None, msgs=None, settings=()):
    """Instructions per message, or None when the program is not there."""
    size = SIZES[work] if size is None else size
    msgs = MSGS[work] if msgs is None else msgs
    once = count(build, name, work, size, msgs, settings)
    if once is None:
        return None
    return (count(build, name, work, size, 2 * msgs, settings) - once) / msgs


def _by_function(path):
    """Instructions of each function itself, callees left out."""
    text = subprocess.run(
        ["callgrind_annotate", "--threshold=100", "--tree=none", "--auto=no", path],
        capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+(\S.*)$", line)
        if match and ":" in match.group(2) and not match.group(2).startswith("=>"):
            place = match.group(2).split(" [")[0]
            name = os.path.basename(place.split(":")[0]) + ":" + place.split(":", 1)[1]
            found[name] = found.get(name, 0) + int(match.group(1).replace(",", ""))
    return found


def functions(build, name, work, size=None, msgs=None, settings=()):
    """(instructions per message, place) of every function, the costliest first."""
    size = SIZES[work] if size is None else size
    msgs = MSGS[work] if msgs is None else msgs
    with tempfile.TemporaryDirectory() as folder:
        tables = []
        for times in (1, 2):
            path = os.path.join(folder, str(times))
            if count(build, name, work, size, times * msgs, settings, keep=path) is None:
                return []
            tables.append(_by_function(path))
    once, twice = tables
    costs = [((figure - once.get(place, 0)) / msgs, place) for place, figure in twice.items()]
    return sorted(costs, reverse=True)


def _print_functions(args, name, work, settings):
    for figure, place in functions(args.build, name, work, args.size, args.msgs,
                                   settings)[:args.functions]:
        print(f"{name},{work},{figure:8.1f}  {place}", flush=True)


def counts_well(name, work):
    """cnats spins on its locks while a reply is under way: what it counts there is time. Lua mixes the time and
    addresses into the hashes of its strings, so that looking up a name costs more in one run than in another."""
    return name != "polynats-lua" and (name, work) != ("cnats", "req")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="folder with the bench programs")
    parser.add_argument("--work", choices=WORKS, action="append", help="default: all")
    parser.add_argument("--program", choices=PROGRAMS, action="append",
                        help="default: those that count the same each time")
    parser.add_argument("--size", type=int, help="bytes of payload")
    parser.add_argument("--msgs", type=int, help="messages of the shorter run")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE",
                        help="an option for polynats, such as keeper=off")
    parser.add_argument("--functions", type=int, default=0, metavar="N",
                        help="the N costliest functions instead of the sum")
    args = parser.parse_args()
    print("name,work,size,instructions_per_msg")
    for work in args.work or WORKS:
        for name in args.program or PROGRAMS:
            if not counts_well(name, work) and not args.program:
                continue
            settings = args.set if name.startswith("polynats") else ()
            if args.functions:
                _print_functions(args, name, work, settings)
                continue
            figure = per_message(args.build, name, work, args.size, args.msgs, settings)
            if figure is None:
                print(f"{name}: not built, left out", file=sys.stderr)
                continue
            print(f"{name},{work},{args.size or SIZES[work]},{figure:.1f}", flush=True)


if __name__ == "__main__":
    main()
