"""The family of errors: one class for each status of the library (docs/errors.md)."""

from __future__ import annotations

from . import _polynats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Error(Exception):
    """Base of all errors of polynats. Compare the class or `code`, never the text."""

    code: str = "ERROR"
    """Name of the status, such as "TIMEOUT"."""
    about: str = ""
    """What it is about: an argument, an option, a subject, a limit; may be empty."""
    err_code: int = 0
    """Of JetStream's errors: which one, such as 10059 for a stream that is not there. 0: it is none."""
    status: int = 0
    """What the server said besides, as HTTP has it, such as 404; 0: nothing."""
    _said: str = ""
    published: int = 0
    """Of publish_many: how many were accepted before it."""
    first: int = 0
    """Of a publisher's publish_many: the number of the first of these."""
    failures: Sequence[tuple[int, Error]] = ()
    """Of JetStream's publish_many: all that failed, as (place, error)."""

    @property
    def description(self) -> str:
        """The server's own words for it, such as "stream not found"; where it said nothing the whole text."""
        return self._said or str(self)

    @property
    def text(self) -> str:
        """What happened, in words: as str()."""
        return str(self)

    @property
    def subject(self) -> str:
        """As `about`, which is the subject where there is one."""
        return self.about


class Timeout(Error, TimeoutError):
    """The time given was up."""

    code = "TIMEOUT"


class NoResponders(Error):
    """Nobody subscribes to the request's subject."""

    code = "NO_RESPONDERS"


class Closed(Error, ConnectionError):
    """The client is closed, or the subscription has ended and given all it had."""

    code = "CLOSED"


class Disconnected(Error, ConnectionError):
    """The connection was lost before the answer came."""

    code = "DISCONNECTED"


class Auth(Error, ConnectionError):
    """The server did not accept the credentials."""

    code = "AUTH"


class Permission(Error, PermissionError):
    """The server does not allow this subject."""

    code = "PERMISSION"


class Protocol(Error, ConnectionError):
    """The server sent bytes that are not the NATS protocol."""

    code = "PROTOCOL"


class MaxPayload(Error, ValueError):
    """The message with its headers is over the server's limit."""

    code = "MAX_PAYLOAD"


class SlowConsumer(Error):
    """Messages were dropped: a pending limit was reached."""

    code = "SLOW_CONSUMER"


class Invalid(Error, ValueError):
    """An argument or option is wrong; `about` names it."""

    code = "INVALID"


class Limit(Error):
    """A limit was reached; `about` names it."""

    code = "LIMIT"


class IO(Error, ConnectionError):
    """The operating system refused: connect, read, write, resolve."""

    code = "IO"


class TLS(Error, ConnectionError):
    """TLS could not be agreed on."""

    code = "TLS"


class NoMemory(Error, MemoryError):
    """Memory could not be had; nothing was changed."""

    code = "NO_MEMORY"


class Forked(Error, RuntimeError):
    """The object was made before fork(): it belongs to the parent process."""

    code = "FORKED"


class NotSupported(Error):
    """This server, or this build, cannot do it."""

    code = "NOT_SUPPORTED"


class Server(Error):
    """The server answered with an error of its own."""

    code = "SERVER"


class Interrupted(Error, InterruptedError):
    """A signal arrived while waiting, and its handler raised nothing."""

    code = "INTERRUPTED"


_CLASSES: tuple[type[Error], ...] = (
    Timeout, NoResponders, Closed, Disconnected, Auth, Permission, Protocol, MaxPayload,
    SlowConsumer, Invalid, Limit, IO, TLS, NoMemory, Forked, NotSupported, Server,
    Interrupted,
)  # fmt: skip
_polynats._set_errors({"OK": Error, **{made.code: made for made in _CLASSES}})


def invalid(about: str, text: str) -> Invalid:
    """As the library makes them."""
    error = Invalid(text)
    error.about = about
    return error
