"""The server's INFO as a dict, in the server's own schema."""

from ctypes import byref, c_int32, c_size_t, c_void_p

from . import core, declarations
from .core import C, bytes_at, text_out


def _value(kind, text):
    if kind == declarations.NATS_INFO_BOOL:
        return text == "true"
    if kind == declarations.NATS_INFO_INT:
        return int(text)
    return text


def _dict(handle):
    cursor, length, in_list = c_size_t(), c_size_t(), c_int32()
    name, value, found = c_void_p(), c_void_p(), {}
    while kind := C.nats_info_next(handle, byref(cursor), byref(name), byref(value),
                                   byref(length), byref(in_list)):
        key = text_out(core.string_at(name.value))
        item = _value(kind, text_out(bytes_at(value.value, length)))
        if in_list.value:
            found.setdefault(key, []).append(item)
        else:
            found[key] = item
    return found


def take(make, json):
    """What make(out) leaves, as a dict or as its JSON text."""
    handle = core.new_handle(make, C.nats_info_free)
    if not json:
        return _dict(handle)
    length = c_size_t()
    return text_out(bytes_at(C.nats_info_json(handle, byref(length)), length))
