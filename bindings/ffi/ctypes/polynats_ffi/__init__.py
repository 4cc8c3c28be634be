"""NATS for Python over the C library's flat ABI: ctypes alone, no compiler.

    import polynats_ffi as nats

    with nats.connect("nats://127.0.0.1:4222", name="demo") as nc:
        nc.publish("greet.joe", b"hello")

Library: $POLYNATS_LIB, else what the system's loader finds. The nouns and verbs are
those of the other languages (docs/lua.md); docs/bindings.md tells what this module shows to who
joins another one. Texts are str, or bytes where they come so; data is anything with bytes, or a
str, which is sent as UTF-8. Times are seconds; None is the connection's default.
"""

from .client import Client, connect
from .core import STATUS, abi, now, version
from .error import (
    AuthError,
    Closed,
    Disconnected,
    Error,
    Forked,
    Interrupted,
    Invalid,
    IOFailed,
    LimitReached,
    MaxPayload,
    NoMemory,
    NoResponders,
    NotSupported,
    PermissionDenied,
    ProtocolError,
    ServerError,
    SlowConsumer,
    Timeout,
    TLSError,
)
from .event import Event
from .message import Message
from .options import options
from .proto import Proto
from .request import Future
from .subject import matches, valid, valid_pattern
from .subscription import Subscription

__all__ = [
    "AuthError", "Client", "Closed", "Disconnected", "Error", "Event", "Forked", "Future",
    "IOFailed", "Interrupted", "Invalid", "LimitReached", "MaxPayload", "Message", "NoMemory",
    "NoResponders", "NotSupported", "PermissionDenied", "Proto", "ProtocolError", "STATUS",
    "ServerError", "SlowConsumer", "Subscription", "TLSError", "Timeout", "abi", "connect",
    "matches", "now", "options", "valid", "valid_pattern", "version",
]
