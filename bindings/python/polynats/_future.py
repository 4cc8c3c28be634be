"""The answer, or answers, to a request that is not waited for."""

from __future__ import annotations

from . import _polynats
from ._errors import Closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from ._client import Client
    from ._polynats import Message


class Future(_polynats.FutureBase):
    """What a request will give. Made by `Client.request_start` and `Client.request_many_start`.

    One thread at a time. Leaving a `with` block, or forgetting it, cancels it.
    """

    __slots__ = ("__weakref__", "client")

    client: Client

    def done(self) -> bool:
        """Whether nothing more will come out of it."""
        return _polynats.Future_done(self)

    def cancel(self) -> None:
        """Give it up; a reply that comes later is dropped and counted. Twice is fine."""
        _polynats.Future_cancel(self)

    def __iter__(self) -> Iterator[Message]:
        """Replies, until there are no more."""
        try:
            while (msg := self.wait()) is not None:
                yield msg
        except Closed:
            return

    def __enter__(self) -> Future:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()

    def __repr__(self) -> str:
        return f"<polynats.Future {'done' if self.done() else 'open'}>"
