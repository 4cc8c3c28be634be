#!/usr/bin/env python3
"""tools/abi.py and tools/layers.py find what they are there to find.

Each case puts one fault into a copy of the sources and says what the tool's complaint must hold.
"""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADER = "libnats/include/polynats/subject.h"
CLOSING = "#ifdef __cplusplus\n}"


def prototype(text):
    """Put a declaration at the end of a public header."""
    return HEADER, CLOSING, "/* A fault. */\n%s\n\n%s" % (text, CLOSING)


def include(path, target):
    return path, None, "#include %s\n" % target


def append(path, text):
    return path, None, text


# (tool, (file, what is replaced, or None for a line put at the top, by what), what the complaint holds)
CASES = {
    "a symbol vanished": ("abi", (
        "libnats/include/polynats/version.h", "NATS_API int32_t nats_abi(void);", ""), "nats_abi"),
    "a parameter changed its type": ("abi", (
        "libnats/include/polynats/sub.h", "nats_sub *sub, int32_t mode",
        "nats_sub *sub, int64_t mode"),
        "nats_sub_set_mode"),
    "a handle became another one": ("abi", (
        "libnats/include/polynats/msg.h", "nats_msg_sid(const nats_msg *",
        "nats_msg_sid(const nats_info *"),
        "nats_msg_sid"),
    "a status has two numbers": ("abi", (
        "libnats/abi/status.def", "STATUS(TLS, -13,", "STATUS(TLS, -20,"), "NATS_ERR_TLS"),
    "a status without its reason": ("abi", (
        "libnats/include/polynats/status.h", "/* TLS could not be agreed on */", ""),
        "NATS_ERR_TLS has no comment"),
    "a number of a status is left out": ("abi", (
        "libnats/abi/status.def", "STATUS(INTERRUPTED, -18,", "STATUS(INTERRUPTED, -19,"),
        "without a gap"),
    "a constant changed its number": ("abi", (
        "libnats/include/polynats/event.h", "NATS_EVENT_STALE = 9", "NATS_EVENT_STALE = 10"),
        "NATS_EVENT_STALE"),
    "a constant went": ("abi", (
        "libnats/include/polynats/info.h", "NATS_INFO_BOOL = 3,", ""), "NATS_INFO_BOOL"),
    "a limit shrank": ("abi", (HEADER, "NATS_SUBJECT_MAX 1900", "NATS_SUBJECT_MAX 1000"),
        "NATS_SUBJECT_MAX"),
    "an option changed its type": ("abi", (
        "libnats/abi/options.def", "OPTION(verbose, BOOL,", "OPTION(verbose, INT,"), "verbose"),
    "an option went": ("abi", (
        "libnats/abi/options.def", "OPTION(verbose,", "OPTION(loud,"), "verbose"),
    "editors do not know an option": ("abi", (
        "lua/nats.meta.lua", "---@field pedantic? boolean\n", ""), "the option pedantic"),
    "editors do not know a key of a stream": ("abi", (
        "lua/nats.jetstream.meta.lua", "---@field discard_new_per_subject? boolean\n", ""),
        "nats.StreamConfig has no field discard_new_per_subject"),
    "editors know a key that there is not": ("abi", (
        "lua/nats.jetstream.meta.lua", "---@field max_deliver? integer\n",
        "---@field max_delivery? integer\n"), "max_delivery, which is no key"),
    "editors know a value that there is not": ("abi", (
        "lua/nats.jetstream.meta.lua", '"limits"|"interest"|"workqueue"', '"limits"|"interest"'),
        "retention may be interest, limits, workqueue"),
    "editors do not know a keyword of publish": ("abi", (
        "lua/nats.jetstream.meta.lua", "---@field expect_last_seq? integer\n", ""),
        "nats.PublishOptions has no field expect_last_seq"),
    "editors do not know a status": ("abi", (
        "lua/nats.meta.lua", '"FORKED"', '"SPOONED"'), "FORKED"),
    "a keyword of publish that no page tells of": ("abi", (
        "docs/jetstream.md", "| `rollup` |", "| `enroll` |"), "no row for the keyword rollup"),
    "editors do not know a key of a consumer": ("abi", (
        "lua/nats.jetstream.meta.lua", "---@field max_waiting? integer\n", ""),
        "no field for the key max_waiting"),
    "an event that no page tells of": ("abi", (
        "docs/errors.md", "\n| lame_duck |", "\n| lame_goose |"), "no row for the event lame_duck"),
    "an event without a name": ("abi", (
        "libnats/client/event.c", '[NATS_EVENT_STALE] = "stale",', ""),
        "gives NATS_EVENT_STALE no name"),
    "a new event that is told nowhere": ("abi", (
        "libnats/include/polynats/event.h", "NATS_EVENT_STALE = 9,",
        "NATS_EVENT_STALE = 9, NATS_EVENT_SUB_DONE = 99,"), "no row for the event sub_done"),
    "editors do not know an event": ("abi", (
        "lua/nats.meta.lua", '|"stale"|"credentials"', '|"credentials"'), "no event stale"),
    "a file was not written anew": ("abi", (
        "libnats/include/polynats_ffi.h", "nats_status nats_headers_new(",
        "int32_t nats_headers_new("),
        "polynats_ffi.h: is not up to date"),
    "a struct by value": ("abi", prototype("NATS_API void nats_bad(nats_msg msg);"), "nats_bad"),
    "varargs": ("abi", prototype("NATS_API void nats_bad(const char *text, ...);"), "varargs"),
    "a long": ("abi", prototype("NATS_API long nats_bad(void);"), "'long'"),
    "an ssize_t": ("abi", prototype("NATS_API void nats_bad(ssize_t n);"), "'ssize_t'"),
    "an int": ("abi", prototype("NATS_API void nats_bad(int n);"), "'int'"),
    "a callback": ("abi",
        prototype("NATS_API void nats_bad(void (*call)(void));"), "function pointers"),
    "an enum as a parameter": ("abi",
        prototype("NATS_API void nats_bad(enum nats_kind k);"), "enum"),
    "a named enum": ("abi", prototype("enum nats_kind { NATS_KIND_A = 1 };"), "a named enum"),
    "an enumerator without a number": ("abi", prototype("enum { NATS_KIND_A };"), "NATS_KIND_A"),
    "a struct with a body": ("abi",
        prototype("struct nats_pair { int32_t a : 3; };"), "a struct with a body"),
    "a macro like a function": ("abi", prototype("#define NATS_TWICE(x) ((x) * 2)"), "NATS_TWICE"),
    "a function without NATS_API": ("abi", prototype("int32_t nats_bad(void);"), "marked NATS_API"),
    "an inline function": ("abi", prototype(
        "static inline int32_t nats_bad(void) { return 1; }"), "marked NATS_API"),
    "a function without a comment": ("abi", (
        HEADER, CLOSING, "NATS_API int32_t nats_bad(void);\n\n" + CLOSING), "has no comment"),
    "a function that shares its neighbour's comment": ("abi", (
        HEADER, CLOSING, "/* One. */\nNATS_API int32_t nats_one(void);\n"
        "NATS_API int32_t nats_bad(void);\n\n" + CLOSING), "nats_bad: has no comment"),
    "a free without a comment": ("abi", (
        HEADER, CLOSING, "NATS_API void nats_bad_free(void *bad);\n\n" + CLOSING),
        "nats_bad_free: has no comment"),
    "a name of another form": ("abi",
        prototype("NATS_API int32_t natsBad(void);"), "nats_noun_verb"),
    "a header that the whole forgets": ("abi", (
        "libnats/include/polynats.h", '#include "polynats/sub.h"\n', ""), "polynats/sub.h"),

    "proto includes client": ("layers", include("libnats/proto/url.c", '"client/conn.h"'),
        "libnats/proto/url.c:1: "),
    "proto includes client in brackets": ("layers",
        include("libnats/proto/url.c", "<client/conn.h>"),
        "libnats/proto/url.c:1: "),
    "io includes proto": ("layers", include("libnats/io/tcp.c", '"proto/url.h"'), "io (L2)"),
    "proto includes io": ("layers", include("libnats/proto/url.c", '"io/tcp.h"'), "proto (L2)"),
    "base includes json": ("layers", include("libnats/base/buf.c", '"json/json.h"'), "base (L0)"),
    "an include by a relative path": ("layers",
        include("libnats/proto/url.c", '"url.h"'), "rooted"),
    "client sees sockets": ("layers",
        include("libnats/client/conn.c", "<sys/socket.h>"), "sockets"),
    "api sees poll": ("layers", include("libnats/api/client.c", "<poll.h>"), "sockets"),
    "client sees OpenSSL": ("layers", include("libnats/client/conn.c", "<openssl/ssl.h>"), "TLS"),
    "proto sees json-c": ("layers", include("libnats/proto/info.c", "<json-c/json.h>"), "JSON"),
    "proto sees threads": ("layers", include("libnats/proto/url.c", "<pthread.h>"), "threads"),
    "json sees the clock": ("layers", include("libnats/json/json.c", "<time.h>"), "clocks"),
    "base sees the system": ("layers", include("libnats/base/buf.c", "<sys/stat.h>"), "system"),
    "base sees unistd": ("layers", include("libnats/base/rng.c", "<unistd.h>"), "system"),
    "proto includes the clock": ("layers",
        include("libnats/proto/url.c", '"base/clock.h"'), "base/clock.h"),
    "proto includes the lock": ("layers",
        include("libnats/proto/chunk.c", '"base/spin.h"'), "base/spin.h"),
    "io includes the lock": ("layers", include("libnats/io/tcp.c", '"base/spin.h"'), "base/spin.h"),
    "an export below api": ("layers", append(
        "libnats/client/conn.c", "int nats_bad(void)\n{\n    return 1;\n}\n"),
        "libnats/client/conn.c:1: "),
    "NATS_API below api": ("layers",
        append("libnats/proto/url.c", "NATS_API int x;\n"), "only api exports"),
    "a public header includes an internal one": ("layers", include(HEADER, '"../../base/buf.h"'),
        "public headers"),
    "a public header includes the system": ("layers",
        include(HEADER, "<sys/types.h>"), "public headers"),
    "Lua includes an internal header": ("layers", include("lua/lnats.c", '"client/conn.h"'),
        "not a public header"),
}


def run(folder, tool):
    command = [sys.executable, "-B", os.path.join(folder, "tools", tool + ".py")]
    done = subprocess.run(command + (["--check"] if tool == "abi" else []), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def put_fault(folder, path, old, new):
    """Returns the text before, None when the place for the fault is not there."""
    full = os.path.join(folder, path)
    with open(full, encoding="utf-8") as file:
        before = file.read()
    if old is not None and old not in before:
        return None
    with open(full, "w", encoding="utf-8") as file:
        file.write(new + before if old is None else before.replace(old, new, 1))
    return before


def check_case(folder, tool, fault, complaint):
    path, old, new = fault
    before = put_fault(folder, path, old, new)
    if before is None:
        return "%s does not hold %r any more: renew the case" % (path, old)
    try:
        status, output = run(folder, tool)
    finally:
        with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
            file.write(before)
    if status == 1 and complaint in output:
        return None
    return "exit status %d, and not '%s' but:\n%s" % (status, complaint, output)


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for name in ("libnats", "lua", "bindings", "examples", "docs", "tools"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(folder, name))
        for tool in ("abi", "layers"):
            status, output = run(folder, tool)
            if status != 0:
                print("FAILED: tools/%s.py before any fault:\n%s" % (tool, output))
                return 1
        for name, (tool, fault, complaint) in CASES.items():
            wrong = check_case(folder, tool, fault, complaint)
            if wrong:
                failed += 1
                print("FAILED: %s: %s" % (name, wrong))
    print("%d faults, %d not found" % (len(CASES), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
