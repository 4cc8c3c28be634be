"""Events: what happened to a connection."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._polynats import Message

_FACTS: dict[str, Any] = {
    "code": None, "kind": None, "recoverable": False, "text": "", "url": None, "subject": None,
    "sid": None, "lost": 0, "unconfirmed": 0, "time": None, "scheme": None, "host": None,
    "port": None, "message": None, "token": None, "rtt": None, "level": "info", "line": "",
}  # fmt: skip


class Event:
    """One event, of a client or of a Proto. What does not apply to its type is None or 0."""

    __slots__ = ("type", *_FACTS)

    type: str
    """connected, disconnected, reconnected, closed, lame_duck, discovered, error, slow_consumer,
    stale, credentials, server_changed, trace; of a Proto also dial, upgrade_wanted, tls_wanted,
    sign_wanted, message, pong, info, sub_done."""
    code: str | None
    """The name of the error it is about, such as "AUTH"."""
    kind: str | None
    """What the server meant by its -ERR, such as "auth_expired"."""
    recoverable: bool
    """Of an error: the connection, or the attempts at one, go on."""
    text: str
    level: str
    """error, warn, info or trace."""
    line: str
    """All of it, as a log has it. A Proto has no such line."""
    url: str | None
    subject: str | None
    sid: int | None
    lost: int
    """Publishes that certainly did not reach the server."""
    unconfirmed: int
    """Publishes that may have reached it, or not."""
    time: float | None
    """When it happened, in seconds of the monotonic clock: see `now()`."""
    scheme: str | None
    host: str | None
    port: int | None
    message: Message | None
    token: int | None
    rtt: float | None

    def __init__(self, facts: dict[str, Any]) -> None:
        self.type = facts["type"]
        for name, absent in _FACTS.items():
            setattr(self, name, facts.get(name, absent))

    def __repr__(self) -> str:
        told = [self.type, self.code, self.url, self.subject, self.text]
        return f"<polynats.Event {' '.join(part for part in told if part)}>"


def event_of(facts: dict[str, Any] | None) -> Event | None:
    return None if facts is None else Event(facts)
