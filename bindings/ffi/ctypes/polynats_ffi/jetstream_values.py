"""What JetStream's nouns share, whoever waits: how Python's values become JSON of the server's schema, and the
ack of a publish.

Written by tools/unasync.py from bindings/python/polynats/_jetstream_values.py.
"""

from __future__ import annotations

from .error import Error, Invalid, invalid
from .jetstream_port import _js_key, _js_keywords, _json


# Kinds of value, as the library numbers them.
ARRAY = 7
OBJECT = 8
DURATION = 9
TIME = 10

NS = 1_000_000_000
NS_MAX = 2**63 - 1

# ---- to JSON ----


def encode(verb: str, arguments: Mapping[str, Any]) -> str:
    """The arguments of a verb. None stands for what is not given."""
    if not hasattr(arguments, "items"):
        raise TypeError(f"arguments must be a mapping, not {type(arguments).__name__}")
    from json import dumps

    return dumps(_object(verb, arguments), separators=(",", ":"))


def _object(type_name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Names that are not in the library's table go through: it refuses them, and tells the nearest."""
    found = {}
    for name, value in given.items():
        if not isinstance(name, str):
            raise TypeError(f"a key must be str, not {type(name).__name__}")
        if value is not None:
            kind, element, of = _js_key(type_name, name) or (0, 0, "")
            found[name] = _value(name, value, kind, element, of)
    return found


def _value(name: str, value: Value, kind: int, element: int, of: str) -> Any:
    if kind == ARRAY and isinstance(value, (list, tuple, set, frozenset)):
        return [_value(name, one, element, 0, of) for one in value]
    if kind == DURATION:
        return _duration(name, value)
    if kind == TIME:
        return _time(name, value)
    return _plain(name, value, of if kind == OBJECT else "")


def _plain(name: str, value: Value, of: str) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if value - value != 0:
            raise invalid(name, f"{name} is no number that JSON has: {value}")
        return value
    if hasattr(value, "items"):
        return _object(of, value)
    if isinstance(value, (list, tuple)):
        return [_plain(name, one, of) for one in value]
    raise TypeError(f"{name} cannot be of the type {type(value).__name__}")


def _duration(name: str, value: Value) -> int | str:
    """Nanoseconds, of seconds or a timedelta; a text such as "2m" is the library's to read."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        ns = value * NS
    elif isinstance(value, float):
        if not abs(value) <= NS_MAX / NS:
            raise invalid(name, f"{name} is no time: {value}")
        ns = round(value * NS)
    elif hasattr(value, "total_seconds"):
        ns = ((value.days * 86400 + value.seconds) * 1_000_000 + value.microseconds) * 1000
    else:
        raise TypeError(
            f"{name} must be a number of seconds, a timedelta or a str, not {type(value).__name__}"
        )
    if abs(ns) > NS_MAX:
        raise invalid(name, f"{name} is over 292 years")
    return ns


def _time(name: str, value: Value) -> str:
    """RFC 3339. A datetime without a zone is local time, as Python has it; a number is of seconds since
    1970."""
    if isinstance(value, str):
        return value
    from datetime import datetime, timezone

    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            value = datetime.fromtimestamp(value, timezone.utc)
        except (OverflowError, ValueError, OSError):
            raise invalid(name, f"{name} is no time: {value}") from None
    if not isinstance(value, datetime):
        raise TypeError(
            f"{name} must be a datetime, seconds since 1970 or a str, not {type(value).__name__}"
        )
    text = value.astimezone(timezone.utc).isoformat()
    return text[: -len("+00:00")] + "Z"


def moment(name: str, value: Value) -> Value:
    """A time, or how long until then: a timedelta."""
    if not hasattr(value, "total_seconds"):
        return value
    from datetime import datetime, timezone

    return datetime.now(timezone.utc) + value


def config_of(given: Config, more: Mapping[str, Any]) -> dict[str, Any]:
    """A map, keywords, or both: keywords win."""
    if given is None:
        return dict(more)
    if not hasattr(given, "keys"):
        raise TypeError(f"config must be a mapping, not {type(given).__name__}")
    return {**given, **more}


def refuse_timeout(options: Mapping[str, Any]) -> None:
    """What may find nothing waits; a timeout is for what must have an answer."""
    if "timeout" in options:
        raise invalid("timeout", "fetch: unknown key 'timeout': did you mean 'wait'?")


def nearest(name: str, known: list[str]) -> str:
    """Words that tell it."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f": did you mean '{near[0]}'?" if near else ""


def refuse_options(verb: str, options: Mapping[str, Any], *known: str) -> None:
    """Of a method that names its options."""
    for name in options:
        raise invalid(name, f"{verb}: unknown key '{name}'{nearest(name, list(known))}")


def unknown_keyword(name: str) -> Invalid:
    """The error for a keyword that publish has not, with the nearest that it has."""
    known = [keyword for keyword, _ in _js_keywords()] + ["timeout", "headers"]
    hint = nearest("timeout" if name == "wait" else name, known)
    if name == "timeout":
        hint = " here: the timeout of nc.jetstream() holds"
    return invalid(name, f"publish has no keyword '{name}'{hint}")


# ---- answers ----


def read(msg: Any) -> Any:
    """What a verb was answered: the message that was asked for, or the answer's value."""
    if msg is None:
        return None
    if msg.metadata is not None:
        return msg
    return _json(msg.data) if msg.data else {}


class Ack:
    """A stream has the message."""

    __slots__ = ("stream", "seq", "duplicate", "domain", "value", "batch", "count")

    stream: str
    """Which stream."""
    seq: int
    """The message's sequence in it."""
    duplicate: bool
    """It had a message with this msg_id already, which is the one of seq."""
    domain: str | None
    """Of the stream's servers."""
    value: int | None
    """Of a counter: what it is now."""
    batch: str | None
    """Of a batch: its id."""
    count: int | None
    """Of a batch: how many messages it stored."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.stream = facts.get("stream", "")
        self.seq = facts.get("seq", 0)
        self.duplicate = facts.get("duplicate", False)
        self.domain = facts.get("domain") or None
        value = facts.get("val")
        self.value = None if value is None else int(value)
        self.batch = facts.get("batch") or None
        self.count = facts.get("count")

    def __repr__(self) -> str:
        again = ", a duplicate" if self.duplicate else ""
        return f"<polynats.Ack {self.stream} {self.seq}{again}>"


def ack_of(msg: Any) -> Ack:
    return Ack(_json(msg.data))




def first_failure(
    failures: list[tuple[int, Error]], late: Error | None, stopped: Error | None, count: int
) -> Error:
    """The error to raise for messages that failed. late: of the flush; stopped: why only so many were sent."""
    found = failures[0][1] if failures else late or stopped
    assert found is not None
    found.failures = [*failures, (count, stopped)] if stopped else failures
    found.published = count
    return found
