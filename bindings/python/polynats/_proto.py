"""The protocol without I/O: bring your own transport, loop and clock."""

from __future__ import annotations

import os

from . import _polynats
from ._event import Event, event_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NamedTuple

    from ._options import Data, Options, Servers, Unpack

    class ProtoServer(NamedTuple):
        """A server of the pool."""

        url: str
        attempts: int
        discovered: bool

else:
    # typing is slow to import.
    from collections import namedtuple

    ProtoServer = namedtuple("ProtoServer", ("url", "attempts", "discovered"))
    ProtoServer.__doc__ = "A server of the pool."

_STATES = ("idle", "waiting", "dialing", "upgrading", "waiting_info", "securing", "signing",
           "waiting_pong", "connected", "closed")  # fmt: skip
_NEVER = (1 << 63) - 1


def proto(
    url: Servers = None, seed: Data = None, **options: Unpack[Options]
) -> Proto:
    """One connection's whole protocol. `url` and `options` are as for `connect`, but $NATS_URL
    is not looked at. `seed`: 16 random bytes or more; the same seed gives the same choices."""
    given = os.urandom(32) if seed is None else seed
    return _polynats._proto_new(Proto, url, options, given)


class Proto(_polynats.ProtoBase):
    """Feed it bytes in any pieces, take bytes and events out. Made by `proto`. One thread at a time.

    Times (`now`) are seconds of any clock that never goes back; left out, `polynats.now()`.
    """

    __slots__ = ("__weakref__",)

    def start(self, now: float | None = None) -> None:
        """Begin: an event dial follows."""
        _polynats.Proto_start(self, now)

    def transport_up(self, now: float | None = None) -> None:
        """Answer dial: the transport is connected."""
        _polynats.Proto_transport_up(self, now)

    def upgraded(self, now: float | None = None) -> None:
        """Answer upgrade_wanted: from now on feed what is in the WebSocket frames."""
        _polynats.Proto_upgraded(self, now)

    def secured(self, now: float | None = None) -> None:
        """Answer tls_wanted: from now on feed what TLS gives you."""
        _polynats.Proto_secured(self, now)

    def transport_failed(
        self, code: str, text: str | None = None, now: float | None = None
    ) -> None:
        """The attempt, or the connection, failed. `code` is the name of an error, such as "IO"."""
        _polynats.Proto_transport_failed(self, code, text, now)

    def expect_signature(self, yes: bool) -> None:
        """Whether a nonce of the server's is to be signed: then sign_wanted comes."""
        _polynats.Proto_expect_signature(self, yes)

    def sign(
        self,
        signature: Data,
        public_key: str | None = None,
        jwt: str | None = None,
        now: float | None = None,
    ) -> None:
        """Answer sign_wanted. `public_key` or `jwt`, as the kind of credentials needs."""
        _polynats.Proto_sign(self, signature, public_key, jwt, now)

    def feed(self, data: Data, now: float | None = None) -> None:
        """Bytes in. What is wrong in them becomes events."""
        _polynats.Proto_feed(self, data, now)

    def feed_eof(self, now: float | None = None) -> None:
        """The transport was closed by the server."""
        _polynats.Proto_feed_eof(self, now)

    def next_event(self) -> Event | None:
        """The next event, or None."""
        return event_of(self._next_event())

    def events(self) -> Iterator[Event]:
        """All events that there are."""
        while (event := self.next_event()) is not None:
            yield event

    @property
    def pending(self) -> int:
        """Bytes that wait to be taken, whether or not they can be now."""
        return _polynats.Proto_tx_pending(self)

    def deadline(self) -> float | None:
        """When `tick` is due; None: never."""
        at = _polynats.Proto_deadline_ns(self)
        return None if at == _NEVER else at / 1e9

    def tick(self, now: float | None = None) -> None:
        """Do what is due."""
        _polynats.Proto_tick(self, now)

    def unsubscribe(self, sid: int, after: int | None = None) -> None:
        """End it now, or when so many have arrived in all."""
        _polynats.Proto_unsubscribe(self, sid, after)

    def ping(self, now: float | None = None) -> int:
        """Its pong comes as an event with the same token."""
        return _polynats.Proto_ping(self, now)

    def close(self) -> None:
        """The end: an event closed follows, and what is pending may still be sent."""
        _polynats.Proto_close(self)

    def reconnect(self, now: float | None = None) -> None:
        """Drop the transport and make the connection again, at once."""
        _polynats.Proto_reconnect(self, now)

    @property
    def state(self) -> str:
        """What it waits for: idle, waiting, dialing … connected, closed."""
        return _STATES[_polynats.Proto_state(self)]

    @property
    def url(self) -> str:
        """Of the server in use or being tried, without credentials."""
        return _polynats.Proto_url(self)

    @property
    def scheme(self) -> str:
        """Of that server: nats, tls, ws or wss."""
        return _polynats.Proto_scheme(self)

    @property
    def host(self) -> str:
        """Of that server: what to connect to."""
        return _polynats.Proto_host(self)

    @property
    def port(self) -> int:
        """Of that server."""
        return _polynats.Proto_port(self)

    @property
    def pings_out(self) -> int:
        """Keep-alive pings without an answer."""
        return _polynats.Proto_pings_out(self)

    @property
    def offset(self) -> int:
        """Bytes fed since the transport came up: errors name offsets."""
        return _polynats.Proto_offset(self)

    def server_info(self) -> dict[str, Any]:
        """What the server said of itself."""
        from json import loads

        info: dict[str, Any] = loads(self.server_info_json())
        return info

    def server_info_json(self) -> str:
        """The same as it came."""
        return _polynats.Proto_server_info(self)

    def new_inbox(self) -> str:
        """A new subject."""
        return _polynats.Proto_new_inbox(self)

    def servers(self) -> list[ProtoServer]:
        """The pool."""
        return [ProtoServer(*row) for row in self._servers()]

    def server_add(self, url: str) -> None:
        """Add a server to the pool."""
        _polynats.Proto_server_add(self, url)

    def server_remove(self, url: str) -> None:
        """Take a server out of the pool."""
        _polynats.Proto_server_remove(self, url)

    def __repr__(self) -> str:
        return f"<polynats.Proto {self.state}>"
