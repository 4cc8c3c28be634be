"""The ABI's declarations for languages whose FFI reads no C: Python's ctypes and Ruby's Fiddle.

tools/abi.py writes what these functions return.
"""

WIDTH = 100

# ---- what both say ----


def constants(abi):
    """(header, name, value) in the order of the headers."""
    for row in abi["constants"]:
        if not row["name"].startswith("POLYNATS_VERSION"):
            yield row["header"], row["name"], row["value"]


def constant_lines(abi, form):
    """The numbers, with a comment for each header."""
    header = None
    for where, name, value in constants(abi):
        if where != header:
            header = where
            yield ""
            yield form % ("# " + where)
        yield form % ("%s = %d" % (name, value))


def wrap_items(head, items, tail, indent):
    """head item, item, … tail, on one line if it has room, else broken between items."""
    whole = head + ", ".join(items) + tail
    if len(whole) <= WIDTH:
        return whole
    lines, line = [head], " " * indent
    for at, item in enumerate(items):
        part = item + (", " if at + 1 < len(items) else tail)
        if len(line) + len(part.rstrip()) > WIDTH:
            lines.append(line.rstrip())
            line = " " * indent
        line += part
    return "\n".join(lines + [line])


# ---- Python's ctypes ----

CTYPES = {
    "void": "None", "int32_t": "c_int32", "uint32_t": "c_uint32", "int64_t": "c_int64",
    "uint64_t": "c_uint64", "size_t": "c_size_t", "double": "c_double", "nats_status": "c_int32",
}

CTYPES_HEAD = '''"""Written by tools/abi.py: the numbers and the functions of the ABI, as ctypes takes them.

FUNCTIONS: name -> (result, parameters). Handles are addresses. Texts with a length go in as bytes
and come out as addresses; texts that end with their NUL are bytes both ways.
"""

from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p

VOID_OUT = POINTER(c_void_p)
SIZE_OUT = POINTER(c_size_t)
INT32_OUT = POINTER(c_int32)
INT64_OUT = POINTER(c_int64)
UINT64_OUT = POINTER(c_uint64)
DOUBLE_OUT = POINTER(c_double)
'''


def ctypes_parameter(text):
    stars, base = text.count("*"), text.replace("const", "").replace("*", "").split()[-1]
    if stars == 0:
        return CTYPES[base]
    if stars == 1 and base == "char":
        return "c_char_p"
    if stars == 1 and base in CTYPES and base != "void":
        return base.replace("_t", "").upper() + "_OUT"
    return "c_void_p" if stars == 1 else "VOID_OUT"


def ctypes_result(function):
    text = function["returns"]
    if "*" not in text:
        return CTYPES[text]
    has_length = any(part["type"] == "size_t *" for part in function["parameters"])
    return "c_char_p" if "char" in text and not has_length else "c_void_p"


def ctypes_text(abi):
    lines = [CTYPES_HEAD.rstrip("\n")] + list(constant_lines(abi, "%s"))
    lines += ["", "FUNCTIONS = {"]
    for function in abi["functions"]:
        types = [ctypes_parameter(part["type"]) for part in function["parameters"]]
        head = '    "%s": (%s, (' % (function["name"], ctypes_result(function))
        lines.append(wrap_items(head, types, ",))," if len(types) == 1 else ")),", 8))
    return "\n".join(lines + ["}"]) + "\n"


# ---- Ruby's Fiddle ----

FIDDLE = {
    "void": "VOID", "int32_t": "INT32", "uint32_t": "UINT32", "int64_t": "INT64",
    "uint64_t": "UINT64", "size_t": "SIZE", "double": "DOUBLE", "nats_status": "INT32",
}

FIDDLE_HEAD = '''# frozen_string_literal: true

# Written by tools/abi.py: the numbers and the functions of the ABI, as Fiddle takes them.
#
# FUNCTIONS: name => [result, parameters].

require "fiddle"

module PolynatsFFI
  module Declarations
    VOID = Fiddle::TYPE_VOID
    INT32 = Fiddle::TYPE_INT
    INT64 = Fiddle::TYPE_LONG_LONG
    UINT64 = -Fiddle::TYPE_LONG_LONG
    SIZE = Fiddle::TYPE_SIZE_T
    DOUBLE = Fiddle::TYPE_DOUBLE
    POINTER = Fiddle::TYPE_VOIDP
'''


def fiddle_type(text):
    return "POINTER" if "*" in text else FIDDLE[text]


def fiddle_text(abi):
    lines = [FIDDLE_HEAD.rstrip("\n")]
    lines += [line.rstrip() for line in constant_lines(abi, "    %s")]
    lines += ["", "    FUNCTIONS = {"]
    for function in abi["functions"]:
        types = [fiddle_type(part["type"]) for part in function["parameters"]]
        head = "      %s: [%s, [" % (function["name"], fiddle_type(function["returns"]))
        lines.append(wrap_items(head, types, "]],", 8))
    lines[-1] = lines[-1].rstrip(",")
    return "\n".join(lines + ["    }.freeze", "  end", "end"]) + "\n"
