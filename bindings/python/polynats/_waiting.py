"""What polynats and polynats.green share: verbs that are made of verbs which wait by themselves."""

from __future__ import annotations

from ._errors import Closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any, TypeVar

    from ._options import Data, Headers
    from ._polynats import Message

    Self = TypeVar("Self")


class WaitingFuture:
    """Of a future: iterating, and `with`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def wait(self, timeout: float | None = None) -> Message | None: ...
        def cancel(self) -> None: ...

    def __iter__(self) -> Iterator[Message]:
        """Replies, until there are no more."""
        try:
            while (msg := self.wait()) is not None:
                yield msg
        except Closed:
            return

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()


class WaitingSubscription:
    """Of a subscription: iterating, and `with`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def next(self, timeout: float | None = None) -> Message | None: ...
        def unsubscribe(self, after: int | None = None) -> None: ...
        def _keep_private(self) -> None: ...

    def messages(self, timeout: float | None = None) -> Iterator[Message]:
        """Messages as they come, until it ends, or none came for `timeout` seconds.

        From then on its messages do not show up in `Client.get`.
        """
        self._keep_private()
        return self._each(timeout)

    def _each(self, timeout: float | None) -> Iterator[Message]:
        try:
            while True:
                msg = self.next(timeout)
                if msg is not None:
                    yield msg
                elif timeout is not None:
                    return
        except Closed:
            return

    def __iter__(self) -> Iterator[Message]:
        return self.messages()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unsubscribe()


class WaitingClient:
    """Of a client: requests for many, and `with`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def request_many_start(self, *args: Any, **options: Any) -> Any: ...
        def close(self) -> None: ...

    def request_many(
        self,
        subject: str,
        data: Data = None,
        *,
        max: int | None = None,
        stall: float | None = None,
        timeout: float | None = None,
        sentinel: bool = False,
        headers: Headers = None,
    ) -> list[Message]:
        """Replies of several: until `max` came, none came for `stall` seconds after one, an empty
        one came (`sentinel`), or the time is up, which is the normal end. Raises NoResponders."""
        with self.request_many_start(
            subject, data, max=max, stall=stall, timeout=timeout, sentinel=sentinel, headers=headers
        ) as future:
            replies = []
            while (msg := future.wait()) is not None:
                replies.append(msg)
            return replies

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
