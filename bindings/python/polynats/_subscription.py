"""A subscription: a queue of the messages that arrived for one pattern."""

from __future__ import annotations

from . import _polynats
from ._waiting import WaitingSubscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._client import Client
    from ._polynats import Message

SHARED = 0
PRIVATE = 1
CALLBACK = 2


class Subscription(_polynats.SubscriptionBase, WaitingSubscription):
    """What `Client.subscribe` returns. Any number of threads may use it at once.

    Forgetting it does not end it: its messages go on coming through `Client.get`. Leaving a `with`
    block does.
    """

    __slots__ = ("__weakref__", "client")

    client: Client

    @property
    def subject(self) -> str:
        """The pattern it was made with."""
        return _polynats.Subscription_subject(self)

    @property
    def queue(self) -> str | None:
        """Its queue group, or None."""
        return _polynats.Subscription_queue(self) or None

    @property
    def sid(self) -> int:
        """Its number on the connection, which its messages carry."""
        return _polynats.Subscription_sid(self)

    @property
    def active(self) -> bool:
        """Whether messages can still come."""
        return _polynats.Subscription_active(self)

    def next(self, timeout: float | None = None) -> Message | None:
        """Take the next message; None when there is none within `timeout` seconds (None: for ever).

        Raises Closed when it has ended and given all it had.
        """
        taken = self._next(timeout)
        self._taken = None
        return taken

    def get(self, max: int | None = None, wait: float | None = None) -> list[Message]:
        """As `Client.get`, of this subscription alone. Raises Closed at its end, as `next`."""
        taken = self._get(max, wait)
        self._taken = None
        return taken

    def _keep_private(self) -> None:
        self._set_mode(PRIVATE)

    def unsubscribe(self, after: int | None = None) -> None:
        """End it now, or exactly after so many messages in all."""
        _polynats.Subscription_unsubscribe(self, after)

    def drain(self, timeout: float | None = None) -> None:
        """End it and wait for what is under way, which can then be taken."""
        if timeout is None:
            timeout = self.client._option_seconds("drain_timeout")
        _polynats.Subscription_drain(self, timeout)

    def set_limits(self, pending_msgs: int, pending_bytes: int) -> None:
        """Change how much may wait; -1 for no limit."""
        _polynats.Subscription_set_limits(self, pending_msgs, pending_bytes)

    def stats(self) -> dict[str, int]:
        """pending (messages), pending_bytes, delivered, dropped, received."""
        return _polynats.Subscription_stats(self)

    def __repr__(self) -> str:
        queue = f" queue={self.queue!r}" if self.queue else ""
        return f"<polynats.Subscription {self.subject!r} sid={self.sid}{queue}>"
