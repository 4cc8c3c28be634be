#!/usr/bin/env python3
"""The parts of our style that a program can judge (docs/decisions has the reasons).

Lines: 100 columns of code; 120 for comments, prose and tables, which are not nested. No tabs, no blanks
at the end, a newline at the end of a file. Functions in C: 70 lines. Files: 800 lines. What may be longer
is listed here with its reason.
"""

import argparse
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = (".ci", "bench", "bindings", "cmake", "examples", "libnats", "lua", "script", "tests",
           "tools")
FILES = ("CMakeLists.txt",)
SUFFIXES = (".c", ".h", ".def", ".lua", ".py", ".sh", ".tcl", ".test", ".cmake", ".txt")
CODE_COLUMNS = 100
PROSE_COLUMNS = 120
FUNCTION_LINES = 70
FILE_LINES = 800

# path (under the root): functions that may be longer, and why
LONG_FUNCTIONS = {
    "tests/unit/json_test.c": {"what_is_not_json_is_refused": "a table of cases"},
    "tests/unit/url_test.c": {"bad_urls_are_refused_by_place": "a table of cases"},
}
# Data, where a line is a value, and what a program wrote.
EXEMPT = re.compile(r"(^tests/(fuzz/corpus|conformance/(cases|tables))/)|(^bench/results/)"
                    r"|(/go\.(mod|sum)$)|(^libnats/abi/(abi\.json|baseline\.abi)$)")
TABLES = re.compile(r"\.(def|md)$|/skips\.txt$|/requirements\.txt$")
PROSE = re.compile(r"^\s*(/\*|\*|//|#|--|\"\"\"|')")
TRAILING_COMMENT = re.compile(r"\S\s+(/\*.*\*/|--.*|#.*)$")

problems = []


def files():
    for name in FILES:
        yield name
    for folder in FOLDERS:
        for path, folders, names in os.walk(os.path.join(ROOT, folder)):
            folders[:] = sorted(name for name in folders if name not in ("__pycache__", "build"))
            for name in sorted(names):
                full = os.path.relpath(os.path.join(path, name), ROOT)
                in_script = "." not in name and folder in ("script", ".ci")
                if (name.endswith(SUFFIXES) or in_script) and not EXEMPT.search(full):
                    yield full


def prose_lines(path, lines):
    """Line numbers within comments or docstrings of several lines."""
    found = set()
    if path.endswith((".c", ".h")):
        begin, end = "/*", "*/"
    elif path.endswith(".py") or "." not in os.path.basename(path):
        begin = end = '"""'
    else:
        return found
    inside = False
    for number, line in enumerate(lines, 1):
        if inside:
            found.add(number)
            inside = end not in line
        elif begin in line:
            found.add(number)
            inside = end not in line.split(begin, 1)[1]
    return found


def check_lines(path, lines):
    prose = prose_lines(path, lines)
    for number, line in enumerate(lines, 1):
        where = "%s:%d" % (path, number)
        if line.startswith("---@"):
            continue  # an annotation is one line to its language server
        wide = (number in prose or PROSE.match(line) or TRAILING_COMMENT.search(line)
                or TABLES.search(path))
        limit = PROSE_COLUMNS if wide else CODE_COLUMNS
        if len(line) > limit and not (TABLES.search(path) and "|" in line or path.endswith(".def")):
            problems.append("%s: %d columns, the limit is %d" % (where, len(line), limit))
        if "\t" in line:
            problems.append("%s: a tab" % where)
        if line != line.rstrip():
            problems.append("%s: blanks at the end" % where)


def check_functions(path, lines):
    """In our style a function begins with { and ends with } in the first column."""
    start, name = None, "?"
    for number, line in enumerate(lines, 1):
        if line == "{":
            head = " ".join(lines[max(0, number - 6):number - 1]).split(";")[-1].split("}")[-1]
            found = re.findall(r"(\w+)\s*\(", head)
            start, name = number, found[0] if found else "?"
        elif line == "}" and start is not None:
            length = number - start + 1
            if length > FUNCTION_LINES and name not in LONG_FUNCTIONS.get(path, {}):
                problems.append("%s:%d: %s has %d lines, the limit is %d"
                                % (path, start, name, length, FUNCTION_LINES))
            start = None


def check_file(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    if text and not text.endswith("\n"):
        problems.append("%s: no newline at the end" % path)
    lines = text.split("\n")[:-1]
    if len(lines) > FILE_LINES:
        problems.append("%s: %d lines, the limit is %d" % (path, len(lines), FILE_LINES))
    check_lines(path, lines)
    if path.endswith((".c", ".h")):
        check_functions(path, lines)


def main():
    argparse.ArgumentParser(description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    count = 0
    for path in files():
        check_file(path)
        count += 1
    for line in problems:
        print("style: " + line, file=sys.stderr)
    print("style: %d files, %d problems" % (count, len(problems)))
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
