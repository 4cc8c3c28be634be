#!/usr/bin/env python3
"""readme.py BUILD LIBRARY CC: the programs in README.md work when pasted, and what it points to is there.

Each block marked c, lua, python, ruby or tcl is a whole program: it is run against the server of $NATS_URL and must
print the block marked text that follows it. Paths in blocks marked sh exist, and so do the targets of all links in
the documentation.
"""

import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ("README.md", "CONTRIBUTING.md", "bench", "docs", "tests")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# What begins like a path of this repository.
OURS = re.compile(r"(?<![\w./$-])((?:bench|docs|examples|libnats|lua|script|tests|tools)/[\w./-]+)")
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


def run_c(source, folder, library, compiler):
    with open(os.path.join(folder, "pasted.c"), "w", encoding="utf-8") as file:
        file.write(source)
    program = os.path.join(folder, "pasted")
    include = os.path.join(ROOT, "libnats", "include")
    code, output = run([compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", include,
                        file.name, "-o", program, library,
                        "-Wl,-rpath," + os.path.dirname(library)])
    return (code, output) if code else run([program])


def run_lua(source, folder, build):
    with open(os.path.join(folder, "pasted.lua"), "w", encoding="utf-8") as file:
        file.write(source)
    path = os.path.join(build, "lua", "?.so") + ";;"
    return run(["lua5.4", file.name], env=dict(os.environ, LUA_CPATH=path))


def run_python(source, folder, build):
    with open(os.path.join(folder, "pasted.py"), "w", encoding="utf-8") as file:
        file.write(source)
    path = os.path.join(build, "python")
    return run([sys.executable, "-W", "error", "-X", "dev", file.name],
               env=dict(os.environ, PYTHONPATH=path))


def run_ruby(source, folder, build):
    with open(os.path.join(folder, "pasted.rb"), "w", encoding="utf-8") as file:
        file.write(source)
    path = os.path.join(build, "ruby")
    return run(["ruby", "-W", file.name], env=dict(os.environ, RUBYLIB=path))


def run_tcl(source, folder, build):
    with open(os.path.join(folder, "pasted.tcl"), "w", encoding="utf-8") as file:
        file.write(source)
    path = os.path.join(build, "tcl")
    return run(["tclsh", file.name], env=dict(os.environ, TCLLIBPATH=path))


def play(blocks, build, library, compiler):
    """Run the programs; yields what is wrong."""
    languages = {"c": lambda text, folder: run_c(text, folder, library, compiler),
                 "lua": lambda text, folder: run_lua(text, folder, build),
                 "python": lambda text, folder: run_python(text, folder, build),
                 "ruby": lambda text, folder: run_ruby(text, folder, build),
                 "tcl": lambda text, folder: run_tcl(text, folder, build)}
    if not os.path.exists(os.path.join(build, "lua", "nats.so")):
        print("the program in Lua is left out: this build has no Lua module")
        del languages["lua"]
    if not os.path.exists(os.path.join(build, "python", "polynats", "__init__.py")):
        print("the program in Python is left out: this build has no Python package")
        del languages["python"]
    if not os.path.exists(os.path.join(build, "ruby", "polynats.rb")):
        print("the program in Ruby is left out: this build has no Ruby module")
        del languages["ruby"]
    if not os.path.exists(os.path.join(build, "tcl", "polynats", "pkgIndex.tcl")):
        print("the program in Tcl is left out: this build has no Tcl package")
        del languages["tcl"]
    for language, launch in languages.items():
        places = [at for at, (kind, _) in enumerate(blocks) if kind == language]
        if not places:
            yield "README.md has no block marked %s" % language
        for at in places:
            kind, expected = blocks[at + 1] if at + 1 < len(blocks) else ("", "")
            if kind != "text":
                yield "the block marked %s has no block marked text after it" % language
                continue
            with tempfile.TemporaryDirectory(prefix="readme-") as folder:
                code, output = launch(blocks[at][1], folder)
            if code != 0 or output != expected:
                yield ("the program in %s: exit status %d, expected:\n%sfound:\n%s"
                       % (language, code, expected, output))
            else:
                print("ok: the program in %s" % language)


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
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    blocks = FENCE.findall(read("README.md"))
    wrong = [*play(blocks, *sys.argv[1:]), *missing_paths(blocks), *dead_links()]
    for line in wrong:
        print("FAILED: " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
