"""Events: what became of the connection."""

from . import core, declarations
from .core import C, text_out

ENDS = (declarations.NATS_EVENT_DISCONNECTED, declarations.NATS_EVENT_CLOSED)


class Event:
    """type, text and, where they apply, the facts; those that do not apply are None."""

    def __init__(self, type, text="", **facts):
        self.type, self.text = type, text
        self.__dict__.update(facts)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return None

    def __repr__(self):
        return "<nats event %s%s>" % (self.type, ": " + self.text if self.text else "")


def kind_name(number):
    """What the server meant by an -ERR; None when there was none."""
    return text_out(C.nats_kind_name(number)) if number else None


def to_python(address):
    """A copy of an event; who called frees the library's."""
    status, sid = C.nats_event_status(address), C.nats_event_sid(address)
    ends = C.nats_event_type(address) in ENDS
    lost = C.nats_event_lost(address)
    return Event(
        text_out(C.nats_event_name(address)),
        text_out(C.nats_event_text(address)),
        time=C.nats_event_time_ns(address) / core.NS,
        level=text_out(C.nats_level_name(C.nats_event_level(address))),
        line=text_out(C.nats_event_line(address)),
        url=text_out(C.nats_event_url(address)) or None,
        subject=text_out(C.nats_event_subject(address)) or None,
        code=core.status_name(status) if status else None,
        kind=kind_name(C.nats_event_kind(address)),
        recoverable=bool(C.nats_event_recoverable(address)),
        sid=sid or None,
        lost=lost if ends or lost else None,
        unconfirmed=C.nats_event_unconfirmed(address) if ends else None,
    )
