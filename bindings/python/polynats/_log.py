"""A connection's events, told to a logger."""

from __future__ import annotations

import logging
import threading
import weakref

from ._errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._client import Client
    from ._event import Event

TRACE = 5
"""The level of protocol lines, below logging.DEBUG."""
_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "trace": TRACE}
_open: weakref.WeakSet[EventLog] = weakref.WeakSet()


def log(logger: logging.Logger, event: Event) -> None:
    """One line."""
    logger.log(_LEVELS[event.level], "%s", event.line)


class EventLog:
    """A thread with a client of its own on the same connection, so that it takes no event away."""

    def __init__(self, client: Client, logger: logging.Logger) -> None:
        self._client = client.share()
        self._logger = logger
        self._thread = threading.Thread(target=self._follow, name="polynats events", daemon=True)
        self._thread.start()
        _open.add(self)

    def tell(self, event: Event) -> None:
        """One line."""
        log(self._logger, event)

    def _follow(self) -> None:
        try:
            while True:
                event = self._client.next_event()
                if event is not None:
                    self.tell(event)
        except Error:
            return

    def close(self) -> None:
        """What happened until now is told before."""
        self._client.close()
        if self._thread is not threading.current_thread():
            self._thread.join(1)
        _open.discard(self)


def close_all() -> None:
    """At exit."""
    for opened in list(_open):
        opened.close()
