#!/usr/bin/env python3
"""One description of the ABI, and what follows from it.

Reads the public headers, libnats/abi/status.def and libnats/abi/options.def, and for docs/jetstream.md verbs.def and
keys.def of libnats/jetstream. Writes:

    libnats/abi/abi.json               functions, statuses, constants, options, for binding generators
    libnats/abi/symbols.txt            the ledger: each exported symbol and the version it came with; append only
    libnats/abi/constants.txt          the ledger of numbers: each constant, its number, the version; append only
    libnats/abi/libpolynats.map        the linker's version script
    libnats/include/polynats_ffi.h     declarations without macros, as LuaJIT's and cffi's cdef() take them
    bindings/ffi/…/declarations.*      the same for Python's ctypes and Ruby's Fiddle, by tools/abi_ffi.py
    docs/options.md                    the table of options
    docs/errors.md                     its table of statuses, between the two lines that ask for it
    docs/jetstream.md                  its tables of verbs and keys, likewise

With --check nothing is written: exit status 1 when a file is not what would be written, when something that was
promised is gone or has changed its number, or when a header breaks a rule of the ABI.
"""

import argparse
import json
import os
import re
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is

import abi_ffi
import abi_jetstream

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = os.path.join("libnats", "include")
HEADERS = os.path.join(INCLUDE, "polynats")
ABI = os.path.join("libnats", "abi")
JSON = os.path.join(ABI, "abi.json")
LEDGER = os.path.join(ABI, "symbols.txt")
CONSTANTS = os.path.join(ABI, "constants.txt")
ERRORS = os.path.join("docs", "errors.md")
CTYPES = os.path.join("bindings", "ffi", "ctypes", "polynats_ffi", "declarations.py")
FIDDLE = os.path.join("bindings", "ffi", "fiddle", "polynats_ffi", "declarations.rb")
ANNOTATIONS = os.path.join("lua", "nats.meta.lua")

# All that a parameter or a result may be by value. No int, long, enum or struct: their size or passing differs between
# compilers, machines and FFIs.
VALUES = {"void", "int32_t", "uint32_t", "int64_t", "uint64_t", "size_t", "double", "nats_status"}
BYTES = {"char", "void", "uint8_t"}  # behind a pointer only

FUNCTION = re.compile(r"NATS_API\b([^;]*);", re.S)
COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
ENUM = re.compile(r"\benum\s*\{(.*?)\}\s*;", re.S)
OPAQUE = re.compile(r"\btypedef\s+struct\s+(nats_\w+)\s+(nats_\w+)\s*;")
DEFINE = re.compile(r"^#define\s+((?:NATS|POLYNATS)_\w+)\s+(-?\d+)\s*$", re.M)
# The macros that may stand beside numbers: FFIs see none of them, and can do without.
MACRO = re.compile(r"^#\s*define\s+(\w+\(?)", re.M)
MACROS = re.compile(r"POLYNATS_(\w+_)?H|NATS_API|NATS_Z|POLYNATS_VERSION")
# All that a header may hold besides functions and enums.
DECLARATION = re.compile(
    r"typedef\s+struct\s+(nats_\w+)\s+\1\s*;|typedef\s+int32_t\s+nats_status\s*;"
    r"|struct\s+nats_\w+\s*;|extern\s+\"C\"\s*\{|\}")
# Ends of names of constants that may grow: how many there are, and limits.
MAY_GROW = ("_COUNT", "_MAX")
VERSION = re.compile(r'^#define\s+POLYNATS_VERSION\s+"([^"]+)"', re.M)
# A line of its own in options.def that heads a group, or the name of an option in it.
GROUPED = re.compile(r"^/\* ([^*\n]+) \*/$|^OPTION\((\w+)", re.M)
TEXT = r'((?:"[^"]*"\s*)+)'  # one text, or several on following lines
OPTION = re.compile(
    r'OPTION\((\w+),\s*(\w+),\s*("[^"]*"|NULL|-?\d+),\s*(-?\d+),\s*(-?\d+),\s*' + TEXT + r"\)")
STATUS = re.compile(r"STATUS\((\w+),\s*(-?\d+),\s*" + TEXT + r"\)")

problems = []


def problem(where, text):
    problems.append("%s: %s" % (where, text))


def read(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


# ---- reading ----


def blank_comments(text):
    """The text with its comments as spaces: offsets and lines stay what they were."""
    return COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found.group(0)), text)


def plain(comment):
    """A comment's words on one line."""
    lines = (re.sub(r"^\s*\*?\s?", "", line) for line in comment.strip().split("\n"))
    return " ".join(" ".join(lines).split())


def docs_of(text):
    """end offset of each comment -> its words"""
    return {found.end(): plain(found.group(1)) for found in COMMENT.finditer(text)}


def doc_before(text, docs, start):
    """The words of the comment right before offset start; none when a blank line is between."""
    comment_end = len(text[:start].rstrip())
    if text[comment_end:start].count("\n") > 1:
        return ""
    return docs.get(comment_end, "")


def spell_type(words):
    """One spelling for each type: const char **, const void *const *."""
    return re.sub(r"\*\s+(?=\*|const\b)", "*", " ".join(words))


def parse_parameter(where, text):
    words = text.replace("*", " * ").split()
    if "..." in text or "(" in text or "[" in text:
        problem(where, "'%s': no varargs, function pointers or arrays" % text.strip())
        return None
    if words == ["void"]:
        return None
    return {"name": words[-1], "type": spell_type(words[:-1])}


def check_type(where, text, opaques):
    words = [word for word in text.replace("*", " * ").split() if word != "const"]
    base = [word for word in words if word not in ("*", "struct")]
    stars = words.count("*")
    if len(base) != 1:
        problem(where, "'%s' is not a type of the ABI" % text)
        return
    allowed = VALUES if stars == 0 else VALUES | BYTES | opaques
    if base[0] not in allowed:
        problem(where, "'%s': by value only %s; handles, bytes and these behind a pointer"
                % (text, ", ".join(sorted(VALUES))))


def parse_function(where, body, doc):
    found = re.match(r"\s*(.*?)(\w+)\s*\((.*)\)\s*$", body, re.S)
    if not found:
        problem(where, "cannot read the declaration: %s" % " ".join(body.split()))
        return None
    result = spell_type(found.group(1).replace("*", " * ").split())
    name = found.group(2)
    parameters = [parse_parameter(where, part) for part in found.group(3).split(",")]
    return {"name": name, "header": where, "returns": result,
            "parameters": [part for part in parameters if part], "doc": doc}


def parse_functions(where, text):
    # A struct that is only named may stand between a comment and its function.
    forward = re.compile(r"^struct \w+;\n", re.M)
    text = forward.sub("", text)
    bare = blank_comments(text)
    docs = docs_of(text)
    functions = []
    for found in FUNCTION.finditer(bare):
        doc = doc_before(text, docs, found.start())
        function = parse_function(where, found.group(1), doc)
        if function:
            functions.append(function)
    return functions


def doc_behind(text, name):
    """The words of the comment that begins on the enumerator's line, however many lines it has."""
    found = re.search(r"\b%s\s*=[^\n]*?/\*(.*?)\*/" % name, text, re.S)
    return plain(found.group(1)) if found else ""


def parse_constants(where, text):
    for found in ENUM.finditer(text):
        entries = [part.strip() for part in blank_comments(found.group(1)).split(",")]
        for entry in filter(None, entries):
            parts = re.match(r"(\w+)\s*=\s*(-?\d+)$", entry)
            if not parts:
                problem(where, "enumerator '%s' needs a number of its own: it is pinned" % entry)
                continue
            yield {"name": parts.group(1), "value": int(parts.group(2)), "header": where,
                   "doc": doc_behind(found.group(1), parts.group(1))}


def parse_defines(where, text):
    for name, value in DEFINE.findall(text):
        yield {"name": name, "value": int(value), "header": where, "doc": ""}


def check_header(where, text):
    """What no function's type shows: named enums, struct bodies, bit-fields, includes from outside."""
    bare = re.sub(r"^#.*$", "", blank_comments(text), flags=re.M)
    if re.search(r"\benum\s+\w+", bare):
        problem(where, "a named enum: use an anonymous one and int32_t")
    if re.search(r"\b(struct|union)\s*\w*\s*\{", bare):
        problem(where, "a struct with a body: handles are opaque")
    rest = DECLARATION.sub("", ENUM.sub("", FUNCTION.sub("", bare)))
    if rest.strip():
        problem(where, "neither a handle, an anonymous enum nor a function marked NATS_API: %s"
                % " ".join(rest.split())[:80])
    numbers = {name for name, _ in DEFINE.findall(text)}
    for name in MACRO.findall(text):
        if name not in numbers and not MACROS.fullmatch(name):
            problem(where, "the macro %s: only numbers can be used without a preprocessor"
                    % name.rstrip("("))
    for included in re.findall(r"^#include\s+(\S+)", text, re.M):
        if included.startswith("<") and included not in ("<stddef.h>", "<stdint.h>"):
            problem(where, "includes %s: stddef.h and stdint.h are enough here" % included)


def unquote(text):
    return "".join(re.findall(r'"([^"]*)"', text))


def parse_rows(path, word, pattern, make):
    text = blank_comments(read(path) or "")
    rows = [make(*found.groups()) for found in pattern.finditer(text)]
    begun = len(re.findall(r"^%s\(" % word, text, re.M))
    if not rows or len(rows) != begun:
        problem(path, "%d rows begin with %s( and %d can be read" % (begun, word, len(rows)))
    return rows


def check_umbrella(names):
    text = read(os.path.join(INCLUDE, "polynats.h")) or ""
    for name in names:
        if name != "export.h" and '#include "polynats/%s"' % name not in text:
            problem("polynats.h", "does not include polynats/%s" % name)


def option_groups():
    """option -> the words above its part of the table; groups may come again, for options are only appended"""
    group, groups = "", {}
    for heading, name in GROUPED.findall(read(os.path.join(ABI, "options.def")) or ""):
        group = heading or group
        if name:
            groups[name] = group
    return groups


def make_option(name, kind, default, low, high, doc):
    if kind == "BOOL":
        value = default == "1"
    elif kind == "TEXT":
        value = None if default == "NULL" else default.strip('"')
    else:
        value = int(default)
    return {"name": name, "type": kind.lower(), "default": value, "min": int(low),
            "max": int(high), "doc": unquote(doc)}


def make_status(name, number, text):
    return {"name": name, "number": int(number), "text": unquote(text)}


def read_abi():
    abi = {"version": "", "functions": [], "types": [], "statuses": [], "constants": [],
           "options": []}
    names = sorted(os.listdir(os.path.join(ROOT, HEADERS)))
    for name in names:
        text = read(os.path.join(HEADERS, name))
        where = "polynats/" + name
        check_header(where, text)
        found = VERSION.search(text)
        abi["version"] = found.group(1) if found else abi["version"]
        abi["types"] += [second for _, second in OPAQUE.findall(text)]
        abi["functions"] += parse_functions(where, text)
        abi["constants"] += parse_constants(where, text)
        abi["constants"] += parse_defines(where, text)
    abi["statuses"] = parse_rows(os.path.join(ABI, "status.def"), "STATUS", STATUS, make_status)
    abi["options"] = parse_rows(os.path.join(ABI, "options.def"), "OPTION", OPTION, make_option)
    check_umbrella(names)
    return abi


# ---- rules ----


def check_functions(abi):
    opaques = set(abi["types"])
    seen = set()
    for function in abi["functions"]:
        where = "%s: %s" % (function["header"], function["name"])
        if not re.match(r"nats_[a-z0-9_]+$", function["name"]) or "__" in function["name"]:
            problem(where, "exported names are nats_noun_verb")
        if function["name"] in seen:
            problem(where, "declared twice")
        seen.add(function["name"])
        if not function["doc"]:
            problem(where, "has no comment")
        for text in [function["returns"]] + [part["type"] for part in function["parameters"]]:
            check_type(where, text, opaques)


def check_statuses(abi):
    named = {"NATS_OK" if row["name"] == "OK" else "NATS_ERR_" + row["name"]: row["number"]
             for row in abi["statuses"]}
    enumerated = {row["name"]: row["value"] for row in abi["constants"]
                  if row["header"] == "polynats/status.h"}
    for name in sorted(set(named) | set(enumerated)):
        if named.get(name) != enumerated.get(name):
            problem(name, "is %s in status.def and %s in status.h"
                    % (named.get(name, "missing"), enumerated.get(name, "missing")))
    # Bindings walk from 0 down until nats_status_name() knows no name.
    if sorted(named.values(), reverse=True) != [-place for place in range(len(named))]:
        problem("status.def", "the numbers do not run down from 0, each once and without a gap")


def check_annotations(abi):
    """Editors learn the names from a file that is written by hand."""
    text = read(ANNOTATIONS) or ""
    for option in abi["options"]:
        if not re.search(r"^---@field %s\?" % option["name"], text, re.M):
            problem(ANNOTATIONS, "has no field for the option %s" % option["name"])
    for status in abi["statuses"]:
        if status["name"] != "OK" and '"%s"' % status["name"] not in text:
            problem(ANNOTATIONS, "has no %s among the codes" % status["name"])


def check_events(abi):
    """What can happen to a connection is told where people look for it; those lists are written by hand."""
    table = re.findall(r"^\| ([a-z_, ]+) \|", read(ERRORS) or "", re.M)
    told = {name for cell in table for name in cell.split(", ")}
    names = read(os.path.join("libnats", "client", "event.c")) or ""
    annotated = re.search(r"^---@class nats\.Event\n(?:---@field .*\n)+",
                          read(ANNOTATIONS) or "", re.M)
    for row in abi["constants"]:
        if not row["name"].startswith("NATS_EVENT_"):
            continue
        name = row["name"][len("NATS_EVENT_"):].lower()
        if '[%s] = "%s"' % (row["name"], name) not in names:
            problem("libnats/client/event.c", "gives %s no name: %s" % (row["name"], name))
        if name not in told:
            problem(ERRORS, "has no row for the event %s" % name)
        if annotated is None or '"%s"' % name not in annotated.group(0):
            problem(ANNOTATIONS, "has no event %s among the types of nats.Event" % name)


def signature(function):
    return "%s(%s)" % (function["returns"],
                       ", ".join(part["type"] for part in function["parameters"]))


def check_promises(abi):
    """Against what was written before: names may be added; none may go, or mean something else."""
    old = json.loads(read(JSON) or "{}")
    for part, pinned in (("functions", signature), ("options", lambda row: row["type"])):
        now = {row["name"]: pinned(row) for row in abi[part]}
        for row in old.get(part, []):
            name = row["name"]
            if now.get(name) != pinned(row):
                problem(name, "was promised as %s and is %s now"
                        % (pinned(row), now.get(name, "gone")))


def read_rows(path, columns):
    rows = []
    for number, line in enumerate((read(path) or "").split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        row = tuple(line.split(" "))
        if len(row) != columns:
            problem("%s:%d" % (path, number), "cannot read: %s" % line)
        elif row[0] in (name for name, *_ in rows):
            problem("%s:%d" % (path, number), "%s is there twice" % row[0])
        else:
            rows.append(row)
    return rows


def next_constants(abi):
    """The ledger of numbers with what is new at its end."""
    rows = read_rows(CONSTANTS, 3)
    now = {row["name"]: row["value"] for row in abi["constants"]
           if not row["name"].startswith("POLYNATS_")}
    for name, value, _ in rows:
        grown = name.endswith(MAY_GROW) and now.get(name, 0) > int(value)
        if now.get(name) != int(value) and not grown:
            problem(name, "is %s in %s and %s in the headers: a number once given stays"
                    % (value, CONSTANTS, now.get(name, "gone")))
    known = {name for name, *_ in rows}
    return rows + [(name, str(value), abi["version"]) for name, value in now.items()
                   if name not in known]


def next_ledger(abi):
    """The ledger with what is new at its end."""
    rows = read_rows(LEDGER, 2)
    now = [function["name"] for function in abi["functions"]]
    for symbol, _ in rows:
        if symbol not in now:
            problem(symbol, "is in %s but in no header: what was exported once stays" % LEDGER)
    known = {symbol for symbol, _ in rows}
    return rows + [(name, abi["version"]) for name in now if name not in known]


# ---- writing ----


def ledger_text(rows):
    head = "# Every exported symbol and the version it came with. tools/abi.py appends to it.\n"
    return head + "".join("%s %s\n" % row for row in rows)


def constants_text(rows):
    head = """# Every constant, its number when it came, and the version it came with. tools/abi.py
# appends to it. The number stays, but for counts and limits (…_COUNT, …_MAX), which may grow.
"""
    return head + "".join("%s %s %s\n" % row for row in rows)


def map_text(rows):
    names = "".join("        %s;\n" % name for name in sorted(name for name, _ in rows))
    return ("# Written by tools/abi.py from symbols.txt.\n"
            "NATS_0 {\n    global:\n%s    local:\n        *;\n};\n" % names)


def wrap(text, width=100, indent="    "):
    """A declaration over as many lines as it needs, broken between parameters."""
    lines, line = [], ""
    for part in re.split(r"(?<=,) ", text):
        if line and len(line) + 1 + len(part) > width:
            lines.append(line)
            line = indent + part
        else:
            line = line + " " + part if line else part
    return "\n".join(lines + [line])


def join(kind, name):
    return kind + name if kind.endswith("*") else kind + " " + name


def prototype(function):
    parts = [join(part["type"], part["name"]) for part in function["parameters"]] or ["void"]
    return wrap("%s(%s);" % (join(function["returns"], function["name"]), ", ".join(parts)))


FFI_HEAD = """/* Written by tools/abi.py: the whole ABI without macros or attributes, for ffi.cdef() of LuaJIT and
 * cdef() of cffi. C and C++ programs include polynats.h. A length of (size_t)-1 stands for a text that
 * ends with a NUL. */
"""


def ffi_text(abi):
    out = [FFI_HEAD, "typedef int32_t nats_status;"]
    out += ["typedef struct %s %s;" % (name, name) for name in abi["types"]]
    header = None
    for row in abi["constants"]:
        if row["name"].startswith("POLYNATS_VERSION"):
            continue
        if row["header"] != header:
            header = row["header"]
            out += ["", "/* %s */" % header]
        out.append("enum { %s = %d };" % (row["name"], row["value"]))
    header = None
    for function in abi["functions"]:
        if function["header"] != header:
            header = function["header"]
            out += ["", "/* %s */" % header]
        out.append(prototype(function))
    return "\n".join(out) + "\n"


def time_text(ms):
    if ms < 0:
        return "for ever"
    for unit, size in (("h", 3600000), ("m", 60000), ("s", 1000)):
        if ms >= size and ms % size == 0:
            return "%d%s" % (ms // size, unit)
    return "%dms" % ms


def value_text(option, value):
    if value is None:
        return "none"
    if option["type"] == "bool":
        return "true" if value else "false"
    if option["type"] == "duration":
        return time_text(value)
    return '`"%s"`' % value if option["type"] == "text" else str(value)


def range_text(option):
    if option["type"] == "bool":
        return ""
    low, high = option["min"], option["max"]
    if option["type"] == "text":
        return "%d to %d bytes" % (low, high)
    return "%s to %s" % (value_text(option, low), value_text(option, high))


OPTIONS_HEAD = """# Options of a connection

<!-- Written by tools/abi.py from libnats/abi/options.def. -->

Every option by its name, the same in every language: `nats_options_set_text()` and its kin in C, a field of the table
given to `nats.connect` in Lua. An unknown name is an error that tells the nearest known one. Durations are seconds in
scripting languages, milliseconds in `nats_options_set_int()`, and text such as `250ms`, `2s`, `5m`, `1h` anywhere.
"""
OPTIONS_TABLE = """
## %s

| option | type | default | range | |
|---|---|---|---|---|
"""


def option_row(option):
    return "| `%s` | %s | %s | %s | %s |\n" % (
        option["name"], option["type"], value_text(option, option["default"]), range_text(option),
        option["doc"])


def options_text(abi):
    groups = option_groups()
    text = OPTIONS_HEAD
    for group in dict.fromkeys(groups.values()):
        text += OPTIONS_TABLE % (group[:1].upper() + group[1:])
        for option in abi["options"]:
            if groups[option["name"]] == group:
                text += option_row(option)
    return text


ERRORS_BEGIN = "<!-- statuses: written by tools/abi.py from libnats/abi/status.def -->\n"
ERRORS_END = "<!-- end of statuses -->\n"


def errors_text(abi):
    """docs/errors.md with its table anew; None when there is no such file, or none is asked for."""
    text = read(ERRORS) or ""
    if ERRORS_BEGIN not in text or ERRORS_END not in text:
        return None
    before, rest = text.split(ERRORS_BEGIN, 1)
    docs = {row["name"]: row["doc"] for row in abi["constants"]}
    table = "| number | name | text | when |\n|---|---|---|---|\n"
    for row in abi["statuses"]:
        doc = docs.get("NATS_ERR_" + row["name"], "")
        if row["number"] != 0 and not doc:
            problem("polynats/status.h", "NATS_ERR_%s has no comment behind it, which %s needs"
                    % (row["name"], ERRORS))
        table += "| %d | %s | %s | %s |\n" % (row["number"], row["name"], row["text"], doc)
    return before + ERRORS_BEGIN + table + ERRORS_END + rest.split(ERRORS_END, 1)[1]


def outputs(abi):
    rows = next_ledger(abi)
    since = dict(rows)
    for function in abi["functions"]:
        function["since"] = since[function["name"]]
    files = {
        LEDGER: ledger_text(rows),
        CONSTANTS: constants_text(next_constants(abi)),
        os.path.join(ABI, "libpolynats.map"): map_text(rows),
        os.path.join(INCLUDE, "polynats_ffi.h"): ffi_text(abi),
        CTYPES: abi_ffi.ctypes_text(abi),
        FIDDLE: abi_ffi.fiddle_text(abi),
        os.path.join("docs", "options.md"): options_text(abi),
        JSON: json.dumps(abi, indent=1, ensure_ascii=False) + "\n",
    }
    jetstream = abi_jetstream.page(read, problem)
    if jetstream is not None:
        files[abi_jetstream.PAGE] = jetstream
    errors = errors_text(abi)
    if errors is not None:
        files[ERRORS] = errors
    return files


def write(files):
    for path, text in files.items():
        if read(path) == text:
            continue
        os.makedirs(os.path.join(ROOT, os.path.dirname(path)), exist_ok=True)
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(text)
        print("wrote %s" % path)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    args = parser.parse_args()
    abi = read_abi()
    check_functions(abi)
    check_statuses(abi)
    check_annotations(abi)
    abi_jetstream.check_annotations(read, problem)
    check_events(abi)
    abi_jetstream.check(read, problem)
    check_promises(abi)
    files = {} if problems else outputs(abi)  # what breaks a rule cannot be written down
    if args.check:
        for path, text in files.items():
            if read(path) != text:
                problem(path, "is not up to date: run tools/abi.py")
    elif not problems:
        write(files)
    for line in problems:
        print("abi: " + line, file=sys.stderr)
    if not problems:
        print("abi: %d functions, %d statuses, %d constants, %d options"
              % tuple(len(abi[part]) for part in ("functions", "statuses", "constants", "options")))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
