"""Options of a connection, by name; and the servers."""

from . import core, declarations
from .core import C, c_text_in, text_in

TYPES = {
    declarations.NATS_OPTION_TEXT: "text",
    declarations.NATS_OPTION_BOOL: "boolean",
    declarations.NATS_OPTION_INT: "integer",
    declarations.NATS_OPTION_DURATION: "seconds",
}


def _set_number(handle, name, value):
    whole = isinstance(value, int)
    if whole and abs(value) > core.INT64_MAX:
        text = b"%d" % value  # the library says what is wrong with it
        return C.nats_options_set_text(handle, name, text, len(text))
    if whole and C.nats_options_type(name) != declarations.NATS_OPTION_DURATION:
        return C.nats_options_set_int(handle, name, value)
    return C.nats_options_set_double(handle, name, value)


def _set(handle, name, value):
    if isinstance(value, bool):
        return C.nats_options_set_bool(handle, name, value)
    if isinstance(value, (int, float)):
        return _set_number(handle, name, value)
    text = text_in(value, "option '%s'" % name.decode())
    return C.nats_options_set_text(handle, name, text, len(text))


def make(given, interruptible):
    """interruptible: Ctrl-C in a waiting call must reach the program."""
    handle = core.new_handle(C.nats_options_new, C.nats_options_free)
    if interruptible:
        core.done(C.nats_options_set_bool(handle, b"interruptible", 1))
    for name, value in given.items():
        if value is not None:
            core.done(_set(handle, c_text_in(name, "an option's name"), value))
    return handle


def servers_of(servers):
    """a,b of ["a", "b"]; a text as it is; None for None."""
    if servers is None:
        return None
    if isinstance(servers, (list, tuple)):
        if not servers:
            raise core.error.Invalid("a URL or a list of URLs expected, not an empty list", "url")
        return b",".join(c_text_in(url, "a URL of the list") for url in servers)
    return c_text_in(servers, "url")


def options():
    """Every option of connect: a list of (name, type, doc)."""
    found, index = [], 0
    while (name := C.nats_options_name(index)) is not None:
        kind = TYPES.get(C.nats_options_type(name), "unknown")
        found.append((name.decode(), kind, C.nats_options_doc(name).decode()))
        index += 1
    return found
