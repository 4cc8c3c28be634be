"""Functions that supply credentials. A call that waits is interrupted when a server wants them; it
runs the function, in its own thread, and goes on."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from . import _polynats
from ._errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Answerer = Callable[[_polynats.ClientBase], None]

NAMES = ("user", "password", "token", "jwt", "seed", "public_key", "signature")

_answerers: WeakKeyDictionary[_polynats.ClientBase, Answerer] = WeakKeyDictionary()


def check(hook: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with the one that stands for the function."""
    made = dict(options)
    if "credentials_hook" in made:
        raise invalid("credentials_hook", "credentials_hook: give the function as credentials")
    if hook is None:
        if made.get("ask_credentials"):
            # The program could answer only once it has the client: both options say so.
            made["credentials_hook"] = True
        return made
    if not callable(hook):
        raise TypeError(f"credentials must be callable, not {type(hook).__name__}")
    made["credentials_hook"] = True
    made.pop("ask_credentials", None)  # the function is asked
    return made


def register(client: _polynats.ClientBase, answerer: Answerer) -> None:
    """Call it when the client may be asked."""
    _answerers[client] = answerer


def share(made: _polynats.ClientBase, client: _polynats.ClientBase) -> None:
    """The first client may be closed before this one, on the same connection."""
    answerer = _answerers.get(client)
    if answerer is not None:
        register(made, answerer)


def question(client: _polynats.ClientBase) -> str | None:
    """The nonce to sign, or an empty text, if the client is asked and nobody took that."""
    event = _polynats.Client_question(client)
    return None if event is None else event.get("text", "")


def give(client: _polynats.ClientBase, given: Mapping[str, Any] | None) -> None:
    """Answer with what a function returned."""
    values = dict(given or {})
    found = [values.pop(name, None) for name in NAMES]
    if values:
        name = str(next(iter(values)))
        raise invalid(name, f"credentials: {name!r} is none of {', '.join(NAMES)}")
    _polynats.Client_credentials(client, *found)


def waiting(hook: Callable[[str], Mapping[str, Any] | None]) -> Answerer:
    """Runs the function here and now."""

    def answer(client: _polynats.ClientBase) -> None:
        nonce = question(client)
        if nonce is not None:
            give(client, hook(nonce))

    return answer


def answer(client: _polynats.ClientBase) -> None:
    """Answer what this client is asked, if it is."""
    answerer = _answerers.get(client) if _answerers else None
    if answerer is not None:
        answerer(client)


def _answer_all() -> None:
    for client in list(_answerers):
        if _polynats.Client_status(client) != 4:  # closed: nobody asks it
            answer(client)


_polynats._set_answerer(_answer_all)
