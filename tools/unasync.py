#!/usr/bin/env python3
"""unasync.py [--check]: write JetStream's nouns for those who wait otherwise, from those for asyncio.

The same nouns are needed four times: awaited (asyncio), in a greenlet (gevent), and plainly (the extension module, and
ctypes). They are written once, with async and await; here those words go, and imports get their own names. Parts
for some only stand between two marks, which are comments:

    # [aio … # aio]       for asyncio only
    # [loop … # loop]     for asyncio and gevent: what waits where the library's own call would
    # [plain … # plain]   for the others: comments, whose "# " goes

--check writes nothing, and fails when a file is not what it would be.
"""

import argparse
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGE = "bindings/python/polynats/"
CTYPES = "bindings/ffi/ctypes/polynats_ffi/"
NOUNS = ("_jetstream", "_js_publish", "_js_stream")
VALUES = "_jetstream_values"
HEAD = "Written by tools/unasync.py from %s."

WORDS = (
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"__a(enter|exit|iter|next)__", r"__\1__"),
    (r"\bAsync(Iterator|Generator)\b", r"\1"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"_polynats import AsyncMessage as Message", "_polynats import Message"),
)
GREEN = (
    (r"(from \._js_\w+|from \._jetstream)_aio\b", r"\1_green"),
    (r"from \.aio import", "from .green import"),
    (r"_polynats import Message", "_polynats import LoopMessage as Message"),
)
PLAIN = (
    (r"(from \._js_\w+|from \._jetstream)_aio\b", r"\1"),
    (r"    from \.aio import Client, Future, Subscription\n",
     "    from ._client import Client\n    from ._future import Future\n"
     "    from ._subscription import Subscription\n"),
    (r"    from \.aio import Client, (\w+)\n",
     lambda found: "    from ._client import Client\n    from ._%s import %s\n"
     % (found.group(1).lower(), found.group(1))),
    (r"    from \.aio import Subscription\n", "    from ._subscription import Subscription\n"),
)
OF_CTYPES = (
    (r"from \._jetstream_values\b", "from .jetstream_values"),
    (r"from \._js_(\w+)", r"from .js_\1"),
    (r"from \._jetstream\b", "from .jetstream"),
    (r"from \. import _polynats\n", "from . import jetstream_port as _polynats\n"),
    (r"from \._polynats import", "from .jetstream_port import"),
    (r"from \._errors import", "from .error import"),
    (r"from \._future import", "from .request import"),
    (r"from \._subscription import PRIVATE\n", "from .jetstream_port import PRIVATE\n"),
    (r"from \._subscription import", "from .subscription import"),
)


def parts(text, wanted, commented):
    """The lines, without the marked ones of others; those of `commented` lose their "# "."""
    found, mark = [], None
    for line in text.splitlines(keepends=True):
        begins = re.match(r"\s*# \[(\w+)$", line)
        if begins:
            mark = begins.group(1)
        elif mark and line.strip() == "# %s]" % mark:
            mark = None
        elif mark == "plain":
            if commented:
                found.append(line.replace("# ", "", 1))
        elif mark is None or mark in wanted:
            found.append(line)
    return "".join(found)


def change(text, rules):
    for pattern, by in rules:
        text = re.sub(pattern, by, text)
    return text


def headed(text, source):
    """What its docstring says of files gives way to where this one is from."""
    text = re.sub(r" This file is for asyncio;\s*tools/unasync\.py\s*writes\s*those\s*for\s*the\s*"
                  r"other\s*ways\s*to\s*wait\.", "", text, count=1)
    return re.sub(r'"""\n', '\n\n%s\n"""\n' % (HEAD % source), text, count=1)


def without_types(text):
    """ctypes' module has no annotations to check, but those that stand in signatures do no harm."""
    text = re.sub(r"(?m)^    if TYPE_CHECKING:\n(?:(?:        .*)?\n)+", "\n", text)
    return re.sub(r"(?ms)^TYPE_CHECKING = False\nif TYPE_CHECKING:\n.*?\n(?=\n?\S)", "", text)


def outputs():
    """(path, text)"""
    for noun in NOUNS:
        source = PACKAGE + noun + "_aio.py"
        text = read(source)
        green = change(parts(text, ("loop",), False), WORDS + GREEN)
        yield PACKAGE + noun + "_green.py", headed(green, source)
        plain = change(parts(text, (), True), WORDS + PLAIN)
        yield PACKAGE + noun + ".py", headed(plain, source)
        yield CTYPES + noun[1:] + ".py", headed(change(without_types(plain), OF_CTYPES), source)
    source = PACKAGE + VALUES + ".py"
    text = without_types(read(source))
    yield CTYPES + VALUES[1:] + ".py", headed(change(text, OF_CTYPES), source)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true",
                        help="write nothing: is all as it is to be?")
    check, stale = parser.parse_args().check, []
    for path, text in outputs():
        there = os.path.exists(os.path.join(ROOT, path))
        if there and read(path) == text:
            continue
        stale.append(path)
        if not check:
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
                file.write(text)
    for path in stale:
        print(("stale: " if check else "wrote ") + path)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
