"""The answer, or answers, to a request that is not waited for."""

from __future__ import annotations

from . import _polynats
from ._waiting import WaitingFuture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._client import Client
    from ._polynats import Message


class Future(_polynats.FutureBase, WaitingFuture):
    """What a request will give. Made by `Client.request_start` and `Client.request_many_start`.

    One thread at a time. Leaving a `with` block, or forgetting it, cancels it.
    """

    __slots__ = ("__weakref__", "client")

    client: Client

    def wait(self, timeout: float | None = None) -> Message | None:
        """The reply, waited for at most `timeout` seconds (None: as long as the request may take).

        Of `request_many_start`: the next one, and None at the end. Raises why there is none; Timeout
        also when only this wait was up: `done` is False then.
        """
        taken = self._wait(timeout)
        self._taken = None
        return taken

    def poll(self) -> Message | None:
        """The reply, or None while there is none. Raises, once, why there will be none."""
        taken = self._poll()
        self._taken = None
        return taken

    def done(self) -> bool:
        """Whether nothing more will come out of it."""
        return _polynats.Future_done(self)

    def cancel(self) -> None:
        """Give it up; a reply that comes later is dropped and counted. Twice is fine."""
        _polynats.Future_cancel(self)

    def __repr__(self) -> str:
        return f"<polynats.Future {'done' if self.done() else 'open'}>"
