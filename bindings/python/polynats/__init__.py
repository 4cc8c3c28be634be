"""A client for NATS, the messaging system.

    import polynats

    with polynats.connect("nats://127.0.0.1:4222", name="demo") as nc:
        sub = nc.subscribe("greet.*")
        nc.publish("greet.joe", b"hello", headers={"Lang": ["en", "fr"]})
        for msg in nc.get(max=100, wait=0.5):
            print(msg.subject, msg.data, msg.header("Lang"))

`polynats.aio` has the same verbs for asyncio, `polynats.green` for gevent.
"""

from __future__ import annotations

import atexit

try:
    from . import _polynats
except ImportError as _problem:
    from ._built_for import explain

    raise explain(_problem) from None
from ._client import Client, connect
from ._errors import (
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
from ._event import Event
from ._future import Future
from ._polynats import Message, Metadata, abi, now, version
from ._proto import Proto, ProtoServer, proto
from ._subscription import Subscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from ._jetstream import (
        AckFuture,
        AnswerFuture,
        Batch,
        Consumer,
        JetStream,
        OrderedConsumer,
        Publisher,
        Stream,
    )
    from ._jetstream_values import Ack

    class Option(NamedTuple):
        """An option of `connect`."""

        name: str
        type: str
        doc: str

else:
    # typing is slow to import.
    from collections import namedtuple

    Option = namedtuple("Option", ("name", "type", "doc"))
    Option.__doc__ = "An option of `connect`."

__version__ = version()
_OF_JETSTREAM = frozenset(("AckFuture", "AnswerFuture", "Batch", "Consumer", "JetStream",
                           "OrderedConsumer", "Publisher", "Stream"))  # fmt: skip


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """JetStream's names: loaded when they are asked for."""
        if name == "Ack":
            from ._jetstream_values import Ack

            return Ack
        if name in _OF_JETSTREAM:
            from . import _jetstream

            return getattr(_jetstream, name)
        raise AttributeError(f"module 'polynats' has no attribute '{name}'")


def options() -> list[Option]:
    """Every option of `connect`: its name, its type (text, bool, int, seconds), a line about it."""
    return [Option(*row) for row in _polynats._options()]


class subject:
    """Subjects and patterns."""

    @staticmethod
    def valid(subject: str) -> bool:
        """Whether a message can be published to it."""
        try:
            return _polynats.subject_valid(subject)
        except Invalid:  # a lone surrogate
            return False

    @staticmethod
    def valid_pattern(pattern: str) -> bool:
        """Whether it can be subscribed to."""
        try:
            return _polynats.subject_valid_pattern(pattern)
        except Invalid:
            return False

    @staticmethod
    def matches(pattern: str, subject: str) -> bool:
        """Whether a message to `subject` would reach a subscription to `pattern`."""
        try:
            return _polynats.subject_matches(pattern, subject)
        except Invalid:
            return False


def _at_exit() -> None:
    import sys

    log = sys.modules.get("polynats._log")
    if log is not None:
        log.close_all()
    _polynats._exiting()


atexit.register(_at_exit)

__all__ = [
    "Ack", "AckFuture", "AnswerFuture", "Auth", "Batch", "Client", "Closed", "Consumer",
    "Disconnected", "Error", "Event", "Forked", "Future", "IO", "Interrupted", "Invalid",
    "JetStream", "Limit", "MaxPayload", "Message", "Metadata", "NoMemory", "NoResponders",
    "NotSupported", "Option", "OrderedConsumer", "Permission", "Proto", "ProtoServer", "Protocol",
    "Publisher", "Server", "SlowConsumer", "Stream", "Subscription", "TLS", "Timeout", "abi",
    "connect", "now", "options", "proto", "subject", "version",
]  # fmt: skip
