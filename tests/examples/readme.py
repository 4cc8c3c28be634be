#!/usr/bin/env python3
"""readme.py BUILD CC: the programs in README.md work when pasted, and what it points to is there.

Each block marked c, lua, python, ruby or tcl is a whole program: it is saved as readme.<suffix>, run by the line with
script/with-server that README.md gives for it, with BUILD in the place of build/release, and must print the block
marked text that follows it. Lines of that kind for other programs must succeed. Paths in blocks marked sh exist, and
so do the targets of all links in the documentation.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ("README.md", "CONTRIBUTING.md", "bench", "docs", "examples", "tests")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# What begins like a path of this repository.
OURS = re.compile(r"(?<![\w./$-])((?:bench|docs|examples|libnats|lua|script|tests|tools)/[\w./-]+)")
SUFFIXES = {"c": ".c", "lua": ".lua", "python": ".py", "ruby": ".rb", "tcl": ".tcl"}
# What a build without the language lacks.
MODULES = {"lua": "lua/nats.so", "python": "python/polynats/__init__.py",
           "ruby": "ruby/polynats.rb", "tcl": "tcl/polynats/pkgIndex.tcl"}
RUN_SECONDS = 20


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def pages():
    for name in PAGES:
        if name.endswith(".md"):
            yield name
        for folder, _, files in os.walk(os.path.join(ROOT, name)):
            for file in sorted(files):
                if file.endswith(".md"):
                    yield os.path.relpath(os.path.join(folder, file), ROOT)


def run(command, **more):
    done = subprocess.run(command, check=False, timeout=RUN_SECONDS, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    return done.returncode, done.stdout


def left_out(build):
    """Marks of the languages that this build has no module of."""
    for language, path in MODULES.items():
        if not os.path.exists(os.path.join(build, path)):
            print("the program in %s is left out: this build has no module for it" % language)
            yield language


def lines_of(blocks):
    """The lines of the README that run a program in the tree."""
    for kind, text in blocks:
        for line in text.splitlines() if kind == "sh" else []:
            if re.search(r"script/with-server (?!\./program)", line):
                yield line


def run_line(line, folder, build, compiler):
    """As a reader would in the tree, but for where the build and the program are."""
    line = line.replace("$PWD/build/release", build).replace("build/release", build)
    line = re.sub(r"^cc ", "${CC} -std=c11 -Wall -Wextra -Werror ", line)
    line = re.sub(r"(?:\./)?\breadme(\.\w+)?(?=\s|$)", lambda name: os.path.join(
        folder, "readme" + (name.group(1) or "")), line)
    return run(["bash", "-c", line], cwd=ROOT, env=dict(os.environ, CC=compiler))


def play_program(line, language, source, build, compiler):
    with tempfile.TemporaryDirectory(prefix="readme-") as folder:
        path = os.path.join(folder, "readme" + SUFFIXES[language])
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        return run_line(line, folder, build, compiler)


def play(blocks, build, compiler):
    """Run the programs; yields what is wrong."""
    without = list(left_out(build))
    for language, suffix in SUFFIXES.items():
        if language in without:
            continue
        places = [at for at, (kind, _) in enumerate(blocks) if kind == language]
        lines = [line for line in lines_of(blocks) if "readme" + suffix + " " in line + " "]
        if not places or len(lines) != 1:
            yield "README.md has %d blocks marked %s, and %d lines that run it" % (
                len(places), language, len(lines))
            continue
        for at in places:
            kind, expected = blocks[at + 1] if at + 1 < len(blocks) else ("", "")
            if kind != "text":
                yield "the block marked %s has no block marked text after it" % language
                continue
            code, output = play_program(lines[0], language, blocks[at][1], build, compiler)
            if code != 0 or output != expected:
                yield ("the program in %s: exit status %d, expected:\n%sfound:\n%s"
                       % (language, code, expected, output))
            else:
                print("ok: the program in %s" % language)


def play_others(blocks, build, compiler):
    """The lines that run a program of the tree."""
    for line in lines_of(blocks):
        if "readme" in line:
            continue
        if " luajit " in line and not shutil.which("luajit"):
            print("left out, there is no luajit: %s" % line)
            continue
        code, output = run_line(line, "", build, compiler)
        if code != 0:
            yield "exit status %d: %s\n%s" % (code, line, output)
        else:
            print("ok: %s" % line)


def missing_paths(blocks):
    for kind, text in blocks:
        for path in OURS.findall(text) if kind == "sh" else []:
            if not os.path.exists(os.path.join(ROOT, path)):
                yield "README.md: there is no %s" % path


def dead_links():
    count = 0
    for page in pages():
        for target in LINK.findall(FENCE.sub("", read(page))):
            if re.match(r"\w+:", target):
                continue
            count += 1
            if not os.path.exists(os.path.join(ROOT, os.path.dirname(page), target)):
                yield "%s: there is no %s" % (page, target)
    print("%d links within the documentation" % count)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    blocks = FENCE.findall(read("README.md"))
    wrong = [*play(blocks, *sys.argv[1:]), *play_others(blocks, *sys.argv[1:]),
             *missing_paths(blocks), *dead_links()]
    for line in wrong:
        print("FAILED: " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
