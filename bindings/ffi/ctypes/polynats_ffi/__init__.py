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
    Auth,
    Closed,
    Disconnected,
    Error,
    Forked,
    Interrupted,
    Invalid,
    IO,
    Limit,
    MaxPayload,
    NoMemory,
    NoResponders,
    NotSupported,
    Permission,
    Protocol,
    Server,
    SlowConsumer,
    Timeout,
    TLS,
)
from .event import Event
from .jetstream import JetStream, OrderedConsumer
from .jetstream_values import Ack
from .js_publish import AckFuture, AnswerFuture, Batch, Publisher
from .js_stream import Consumer, Stream
from .message import Message, Metadata
from .options import options
from .request import Future
from .subscription import Subscription
from . import subject
from .proto import Proto, ProtoServer, proto  # which hides the file of that name

__all__ = [
    "Ack", "AckFuture", "AnswerFuture", "Auth", "Batch", "Client", "Closed", "Consumer",
    "Disconnected", "Error", "Event", "Forked", "Future", "IO", "Interrupted", "Invalid",
    "JetStream", "Limit", "MaxPayload", "Message", "Metadata", "NoMemory", "NoResponders",
    "NotSupported", "OrderedConsumer", "Permission", "Proto", "ProtoServer", "Protocol",
    "Publisher", "STATUS", "Server", "SlowConsumer", "Stream", "Subscription", "TLS",
    "Timeout", "abi", "connect", "now", "options", "proto", "subject", "version",
]
