"""What all parts share: the library, results, the checks of arguments, and waiting."""

import ctypes
import math
import os
import time
from ctypes import byref, c_void_p, string_at

from . import declarations, error

INT64_MAX = 2**63 - 1
WAIT_MS_MAX = 4_000_000_000_000  # 126 years, which still fit into ns: what is longer is cut to it
NS = 1e9
INTERRUPTED = declarations.NATS_ERR_INTERRUPTED

# ---- loading ----


def _library_name():
    return os.environ.get("POLYNATS_LIB") or "libpolynats.so.%d" % declarations.POLYNATS_ABI


def _load():
    library = ctypes.CDLL(_library_name())  # which lets other threads run during a call
    for name, (result, parameters) in declarations.FUNCTIONS.items():
        function = getattr(library, name, None)
        if function is None:
            raise ImportError("%s has no %s: it is older than this module"
                              % (_library_name(), name))
        function.restype, function.argtypes = result, parameters
    found = library.nats_abi()
    if found != declarations.POLYNATS_ABI:
        raise ImportError("the library has ABI %d, this module speaks ABI %d"
                          % (found, declarations.POLYNATS_ABI))
    return library


C = _load()


def version():
    """The library's version."""
    return C.nats_version().decode()


def abi():
    """The number in the library's SONAME."""
    return C.nats_abi()


# ---- results ----


def _statuses():
    """name -> number: the numbers run down from 0 without a gap."""
    found, number = {}, 0
    while (name := C.nats_status_name(number).decode()) != "UNKNOWN":
        found[name] = number
        number -= 1
    return found


STATUS = _statuses()


def status_name(status):
    return C.nats_status_name(status).decode()


def failure(status):
    """The error that the thread's last call left, to be raised."""
    text, about = C.nats_last_error(None), C.nats_last_about()
    code, err_code = C.nats_last_code(), C.nats_last_err_code()
    said = C.nats_last_description()
    if C.nats_last_status() != status or not text:
        # A finalizer or a signal's handler called the library in between.
        text, about, code, err_code, said = C.nats_status_text(status), b"", 0, 0, b""
    made = error.make(status_name(status), text_out(text), text_out(about))
    made.status, made.err_code, made.said = code, err_code, text_out(said)
    return made


def done(status):
    if status:
        raise failure(status)


def text_out(data):
    """Texts from the network need not be UTF-8: odd bytes come as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def bytes_at(address, length):
    """A copy of what an accessor returned; None for NULL."""
    return None if address is None else string_at(address, length.value)


class Handle(c_void_p):
    """A handle of the library, freed with the last reference to it."""

    def __init__(self, free):
        super().__init__()
        self.free_function = free

    def free(self):
        """Now, and not again."""
        address, self.value = self.value, None
        if address:
            self.free_function(address)

    __del__ = free


def new_handle(make, free):
    """The handle that make(out) leaves. It owns what comes before anything can strike."""
    handle = Handle(free)
    done(make(byref(handle)))
    return handle


# ---- arguments ----


def text_in(value, what):
    """The bytes of a text, also of what text_out made of odd ones. The library looks at them: it
    is told their length."""
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as problem:
            raise error.Invalid("%s holds a lone surrogate: %s" % (what, problem), what) from None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError("%s must be a str, not %s" % (what, type(value).__name__))


def text_or_null(value, what):
    """(bytes, length) of an optional text."""
    if value is None:
        return None, 0
    text = text_in(value, what)
    return text, len(text)


def c_text_in(value, what):
    """A text for a parameter that ends with its NUL."""
    text = text_in(value, what)
    if b"\0" in text:
        raise error.Invalid("%s holds a NUL byte" % what, what)
    return text


def data_in(value, what="data"):
    """The bytes of a payload; a copy when another thread could change them."""
    if type(value) is bytes:
        return value
    if value is None:
        return b""
    if isinstance(value, str):
        return text_in(value, what)
    try:
        return bytes(memoryview(value))
    except TypeError:
        raise TypeError("%s must be bytes, a buffer or a str, not %s"
                        % (what, type(value).__name__)) from None


def count_in(value, what, least, default=None):
    """A whole number that the ABI's types can hold: ctypes itself would cut it silently."""
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("%s must be a whole number, not %s" % (what, type(value).__name__))
    if not least <= value <= INT64_MAX:
        raise error.Invalid("%s must be %d or more, not %d" % (what, least, value), what)
    return value


def ms_in(value, what="timeout", default=-1):
    """Seconds to ms, rounded up so that a short wait is not none."""
    if value is None:
        return default
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError("%s must be a number of seconds, not %s" % (what, type(value).__name__))
    if not value >= 0:
        raise error.Invalid("%s must be 0 seconds or more, not %s" % (what, value), what)
    return math.ceil(min(value * 1000, WAIT_MS_MAX) - 1e-6)


def seconds(ms):
    return None if ms < 0 else ms / 1000


# ---- waiting ----

now = time.monotonic
when_interrupted = []  # called then: see credentials.py


def interrupted():
    """After a call that was: what is asked for is answered, and it can be made again."""
    for function in when_interrupted:
        function()


def waiting(step, ms, default_ms=None):
    """Call step(ms) until no signal interrupted it. Python's handlers run between two steps, so
    Ctrl-C raises KeyboardInterrupt from here."""
    limit = default_ms if ms < 0 else ms
    deadline = now() + limit / 1000 if limit else None
    status = step(ms)
    while status == INTERRUPTED:
        interrupted()
        left = math.ceil((deadline - now()) * 1000) if deadline else ms
        status = step(max(left, 0) if deadline else left)
    return status


def _empty(box, found, convert, free):
    """What is in the box into found, once, however often this is called."""
    if not box.value:
        return
    if not found:
        found.append(convert(box.value))
    address, box.value = box.value, None
    free(address)


def take_one(step, ms, convert, free, kept):
    """What step(ms, box) leaves in the box, or None. An exception may strike between any two
    lines, that of Ctrl-C most of all: what the box held then goes to kept."""
    box, found = c_void_p(), []
    try:
        done(waiting(lambda left: step(left, byref(box)), ms))
        _empty(box, found, convert, free)
    except BaseException:
        _empty(box, found, convert, free)
        kept.extend(found)
        raise
    return found[0] if found else None

