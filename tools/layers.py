#!/usr/bin/env python3
"""Holds the layers of libnats apart (docs/architecture.md).

A folder includes itself and lower layers. Headers of sockets, TLS and JSON are seen in the folders made
for them, clocks and threads not at all below io. Exported functions are defined in api only. What is built
on the library (the Lua module, the examples) sees public headers only.
"""

import argparse
import fnmatch
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# abi holds tables that are included like headers; include is the public ABI, open to all.
LAYERS = {
    "include": 0, "abi": 0, "base": 0, "json": 1, "crypto": 1, "zip": 1, "proto": 2, "io": 2,
    "client": 3, "jetstream": 4, "service": 4, "kv": 5, "object": 5, "api": 6,
}
# Data and foundations that folders of the same number may see.
OPEN_TO_ALL = {"include", "abi", "base"}

SOCKETS = ("sys/socket.h", "sys/un.h", "sys/epoll.h", "sys/select.h", "sys/eventfd.h",
           "sys/timerfd.h", "sys/uio.h", "sys/ioctl.h", "netinet/*", "arpa/*", "net/*", "netdb.h",
           "poll.h", "resolv.h")
CLOCKS_AND_THREADS = ("time.h", "pthread.h", "threads.h", "semaphore.h", "signal.h", "sched.h",
                      "unistd.h", "fcntl.h", "dirent.h", "spawn.h", "sys/*")

# (what, headers, folders that may include them, files that may too)
RULES = (
    ("sockets", SOCKETS, {"io"}, ()),
    ("TLS and cryptography", ("openssl/*",), {"crypto", "io"}, ()),
    ("compression", ("zlib.h", "zconf.h"), {"zip"}, ()),
    ("JSON", ("json-c/*", "json.h", "jansson.h", "cJSON.h", "yyjson.h"), {"json"}, ()),
    ("clocks, threads and the operating system", CLOCKS_AND_THREADS,
     {"io", "client", "jetstream", "service", "kv", "object", "api"},
     # secret.c wants pages, which only the system gives; neither clock nor thread nor socket.
     ("libnats/base/clock.[ch]", "libnats/base/spin.h", "libnats/base/secret.c")),
)
# Files of base that stand on clocks or threads: only folders that may know these include them.
SANS_IO = {"base", "json", "crypto", "zip", "proto"}
# file of base -> its own source, and the folders that may not include it. Who waits on a lock is client or above.
GUARDED = {
    "base/clock.h": ("libnats/base/clock.c", SANS_IO),
    "base/spin.h": (None, SANS_IO | {"io"}),
}
# What a public header may ask of the C library: types, so that an FFI needs no header of the system.
PUBLIC_SYSTEM = ("stddef.h", "stdint.h")
PUBLIC = os.path.join("libnats", "include")

# What stands on the library, and the includes in quotes that it may have.
OUTSIDE = {"lua": ("lnats.h",), "examples": ("example.h",)}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
DEFINITION = re.compile(
    r"^(?!static\b|typedef\b)[a-z][\w \t*]*?\b(nats_(?!_)\w+)\(([^;{]*)\)\s*\{", re.M)
EXPORT = re.compile(r"\bNATS_API\b|\bvisibility\s*\(")

problems = []


def sources(folder):
    for path, folders, files in os.walk(os.path.join(ROOT, folder)):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".c", ".h", ".def")):
                yield os.path.relpath(os.path.join(path, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def includes(path):
    text = read(path)
    for found in INCLUDE.finditer(text):
        yield place(path, text, found), found.group(1), found.group(2)


def place(path, text, found):
    return "%s:%d" % (path, text.count("\n", 0, found.start()) + 1)


def check_own(where, folder, target):
    """An include in quotes from inside libnats."""
    other = target.split("/")[0]
    source, guarded_from = GUARDED.get(target, (None, ()))
    if "/" not in target or other not in LAYERS:
        problems.append('%s: "%s": includes are rooted: "folder/file.h"' % (where, target))
    elif folder in guarded_from and where.rsplit(":", 1)[0] != source:
        problems.append("%s: %s is not for %s" % (where, target, folder))
    elif other != folder and other not in OPEN_TO_ALL and LAYERS[other] >= LAYERS[folder]:
        problems.append("%s: %s (L%d) may not include %s (L%d)"
                        % (where, folder, LAYERS[folder], target, LAYERS[other]))


def check_public(where, path, mark, target):
    """An include of a public header: it must be usable where nothing but public headers is installed."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), target))
    installed = (mark == '"' and beside.startswith(PUBLIC + os.sep)
                 and os.path.exists(os.path.join(ROOT, beside)))
    if not installed and (mark == '"' or target not in PUBLIC_SYSTEM):
        problems.append("%s: %s: a public header includes public headers, %s only"
                        % (where, target, ", ".join(PUBLIC_SYSTEM)))


def check_system(where, path, folder, target):
    if target.split("/")[0] in LAYERS:
        problems.append("%s: <%s>: internal headers are included in quotes" % (where, target))
    for what, headers, folders, files in RULES:
        if not any(fnmatch.fnmatch(target, pattern) for pattern in headers):
            continue
        if folder in folders or any(fnmatch.fnmatch(path, pattern) for pattern in files):
            continue
        problems.append("%s: <%s>: %s are known in %s only"
                        % (where, target, what, ", ".join(sorted(folders))))


def check_library():
    count = 0
    for path in sources("libnats"):
        folder = path.split(os.sep)[1]
        if folder not in LAYERS:
            problems.append("%s: a folder without a layer: add it to tools/layers.py" % path)
            continue
        count += 1
        for where, mark, target in includes(path):
            if folder == "include":
                check_public(where, path, mark, target)
            elif mark == "<":
                check_system(where, path, folder, target)
            else:
                check_own(where, folder, target)
        if folder not in ("api", "include"):
            check_exports(path)
    return count


def check_exports(path):
    text = read(path)
    for found in DEFINITION.finditer(text):
        problems.append("%s: defines %s: exported functions live in api"
                        % (place(path, text, found), found.group(1)))
    for found in EXPORT.finditer(text):
        problems.append("%s: %s: only api exports" % (place(path, text, found), found.group(0)))


def check_outside():
    for folder, allowed in OUTSIDE.items():
        for path in sources(folder):
            for where, mark, target in includes(path):
                internal = mark == '"' and target not in allowed
                if internal or (mark == "<" and target.split("/")[0] in LAYERS):
                    problems.append("%s: %s is not a public header" % (where, target))


def main():
    argparse.ArgumentParser(description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    count = check_library()
    check_outside()
    for line in problems:
        print("layers: " + line, file=sys.stderr)
    if count == 0:
        print("layers: no sources found", file=sys.stderr)
        return 1
    if not problems:
        print("layers: %d files keep to their layers" % count)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
