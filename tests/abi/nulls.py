#!/usr/bin/env python3
"""nulls.py ABI_JSON LIBRARY: no function dies of a NULL.

Each function of the ABI is called with each of its pointers NULL while the others are good, and with all of them NULL;
each call in a process of its own. A call that crashes or hangs is a fault, and so is one that returns a status and lets
a handle, or a place for a result, be NULL that the headers do not allow to be.
"""

import ctypes
import json
import os
import resource
import signal
import sys

NATS_OK, INVALID = 0, -10
SUBJECT = b"nulls"
ROOM = 4096          # behind every pointer that is no handle
HANG_S = 20          # a call that has not returned by then never will
WAIT_MS = 100        # every time that is handed in
COUNT = 3            # every length and count
SEED_LEN = 32
STATUSES = {"nats_status"}
WIDTHS = {"int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64,
          "uint64_t": ctypes.c_uint64, "size_t": ctypes.c_size_t, "double": ctypes.c_double,
          "nats_status": ctypes.c_int32, "void": None}
# Handles and places that may be NULL, by name: options and headers everywhere, and where only the sid, or no count, is
# wanted, or nobody asks for the answer. Lengths may always be.
MAY_BE_NULL = {"options", "headers", "sub_out", "published_out", "sid_out", "result_out",
               "ack_out"}


def is_pointer(part):
    return "*" in part["type"]


def handle_of(part):
    """The noun of a handle that goes in, else None."""
    words = part["type"].replace("const", "").replace("struct", "").split()
    is_handle = len(words) == 2 and words[1] == "*" and words[0].startswith("nats_")
    return words[0] if is_handle else None


def must_be_there(part):
    """A handle, or the place of one."""
    return is_pointer(part) and "nats_" in part["type"] and part["name"] not in MAY_BE_NULL


class Handles:
    """Good handles of every kind, made when one is asked for."""

    def __init__(self, library):
        self.library = library
        self.made = {}

    def take(self, name, *arguments):
        """What a call leaves in its last parameter."""
        place = ctypes.c_void_p()
        status = getattr(self.library, name)(*arguments, ctypes.byref(place))
        if status != NATS_OK or not place.value:
            raise RuntimeError("%s: status %d" % (name, status))
        return place

    def make(self, noun):
        none, size, ms = None, ctypes.c_size_t, ctypes.c_int64
        subject = (SUBJECT, size(len(SUBJECT)))
        if noun == "nats_client":
            return self.take("nats_connect", none, none)
        if noun == "nats_sub":
            return self.take("nats_client_subscribe", self.get("nats_client"), *subject, none,
                             size(0), ctypes.c_uint64(0))
        if noun == "nats_msg":
            sub = self.get("nats_sub")
            client = self.get("nats_client")
            self.library.nats_client_publish_with(client, *subject, *subject, none, b"data",
                                                  size(4))
            return self.take("nats_sub_next", sub, ms(10000))
        if noun == "nats_future":
            return self.take("nats_client_request_start", self.get("nats_client"), *subject, none,
                             none, size(0), ms(10000))
        if noun == "nats_event":
            return self.take("nats_client_next_event", self.get("nats_client"), ms(10000))
        if noun == "nats_info":
            return self.take("nats_client_server_info", self.get("nats_client"))
        if noun == "nats_js":
            return self.take("nats_client_jetstream", self.get("nats_client"), none, none,
                             ms(WAIT_MS))
        if noun in ("nats_js_publisher", "nats_js_batch"):
            window = [ms(0)] if noun == "nats_js_publisher" else []
            return self.take(noun + "_new", self.get("nats_js"), *window)
        if noun == "nats_json":
            return self.take("nats_json_parse", b"{}", size(2))
        if noun == "nats_proto":
            return self.take("nats_proto_new", none, none, bytes(SEED_LEN), size(SEED_LEN))
        return self.take(noun + "_new")  # options, headers

    def get(self, noun):
        if noun not in self.made:
            self.made[noun] = self.make(noun)
        return self.made[noun]


def good_value(part, handles, kept):
    noun = handle_of(part)
    if noun:
        return handles.get(noun)
    if part["name"] in ("url", "urls"):
        return os.environ["NATS_URL"].encode()
    if is_pointer(part):
        text = SUBJECT if part["type"] == "const char *" else b""
        kept.append(ctypes.create_string_buffer(text, ROOM))
        return kept[-1]
    number = SEED_LEN if part["name"] == "seed_len" else COUNT
    return WIDTHS[part["type"]](WAIT_MS if part["name"].endswith("_ms") else number)


def call(library, function, nulls):
    """In the child: 0, or 1 when a status is not what it must be."""
    handles, kept, values = Handles(library), [], []
    for at, part in enumerate(function["parameters"]):
        values.append(None if at in nulls else good_value(part, handles, kept))
    entry = getattr(library, function["name"])
    entry.restype = WIDTHS.get(function["returns"], ctypes.c_void_p)
    result = entry(*values)
    if function["returns"] not in STATUSES:
        return 0
    wanted = any(must_be_there(function["parameters"][at]) for at in nulls)
    returns_error = function["name"] in ("nats_event_status", "nats_proto_event_status")
    if (wanted or returns_error) and result != INVALID:
        print("%s: status %d and not INVALID" % (describe(function, nulls), result),
              file=sys.stderr)
        return 1
    return 0


def describe(function, nulls):
    names = [function["parameters"][at]["name"] for at in sorted(nulls)]
    return "%s with %s NULL" % (function["name"], ", ".join(names))


def run(library, function, nulls):
    """What is wrong with the call, None when nothing is."""
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(HANG_S)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            code = call(library, function, nulls)
        except Exception as error:  # the child may not go on as a second parent
            print("%s: %s" % (describe(function, nulls), error), file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "hangs" if number == signal.SIGALRM else "dies of " + signal.Signals(number).name
    return "fails" if os.WEXITSTATUS(status) != 0 else None


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        abi = json.load(file)
    library = ctypes.CDLL(sys.argv[2])
    faults, calls = [], 0
    for function in abi["functions"]:
        pointers = [at for at, part in enumerate(function["parameters"]) if is_pointer(part)]
        cases = [{at} for at in pointers]
        if len(pointers) > 1:
            cases.append(set(pointers))
        for nulls in cases:
            calls += 1
            wrong = run(library, function, nulls)
            if wrong:
                faults.append("%s %s" % (describe(function, nulls), wrong))
    for fault in faults:
        print(fault, file=sys.stderr)
    print("%d calls of %d functions, %d faults" % (calls, len(abi["functions"]), len(faults)))
    sys.exit(1 if faults or not calls else 0)


main()
