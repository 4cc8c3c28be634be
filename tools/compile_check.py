#!/usr/bin/env python3
"""Let another compiler read every C file of a build, with the same warnings as errors, and write nothing."""

import argparse
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

# Options that only one of the compilers knows.
FOREIGN = ("-Wshadow=local", "-fno-plt", "-ffat-lto-objects", "-fno-fat-lto-objects", "-Wno-tsan")
JOBS = 2


def command_for(entry, compiler):
    words = shlex.split(entry["command"])
    # Behind a launcher such as ccache the compiler comes second.
    first = next(i for i, word in enumerate(words) if word.startswith("-"))
    rest, skip = [], False
    for word in words[first:]:
        if skip or word in ("-o", "-c", "-MF", "-MT", "-MQ", "-MD", "-MMD") or word in FOREIGN:
            skip = word in ("-o", "-MF", "-MT", "-MQ")
            continue
        rest.append(word)
    return [compiler, "-fsyntax-only"] + rest


def check(entry, compiler):
    done = subprocess.run(command_for(entry, compiler), cwd=entry["directory"],
                          capture_output=True, text=True, check=False)
    return entry["file"], done.returncode, done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="a build folder with compile_commands.json")
    parser.add_argument("compiler", help="clang, gcc, …")
    args = parser.parse_args()
    with open(os.path.join(args.build, "compile_commands.json"), encoding="utf-8") as file:
        entries = [entry for entry in json.load(file) if entry["file"].endswith(".c")]
    entries = list({entry["file"]: entry for entry in entries}.values())
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for path, status, text in pool.map(lambda entry: check(entry, args.compiler), entries):
            if status != 0:
                print("%s:\n%s" % (path, text))
                failed += 1
    print("%d files read by %s, %d with complaints" % (len(entries), args.compiler, failed))
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
