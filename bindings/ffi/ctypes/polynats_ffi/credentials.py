"""Functions that supply credentials. A call that waits is interrupted when a server wants them; it
runs the function, in its own thread, and goes on."""

import weakref
from ctypes import byref, c_void_p

from . import core, error, event
from .core import C, c_text_in, data_in, done

TEXTS = ("user", "password", "token", "jwt", "seed", "public_key")
CLOSED = 4

_hooks = weakref.WeakKeyDictionary()  # client -> function


def give(client, user=None, password=None, token=None, jwt=None, seed=None, public_key=None,
         signature=None):
    """Answer what the client is asked; None: not used."""
    texts = [None if text is None else c_text_in(text, name)
             for name, text in zip(TEXTS, (user, password, token, jwt, seed, public_key))]
    signature = data_in(signature) if signature is not None else None
    done(C.nats_client_credentials(client.handle, *texts, signature, len(signature or b"")))


def register(client, hook):
    """From now on it answers what the client is asked."""
    if hook is not None:
        _hooks[client] = hook


def hook_of(client):
    """Its function, or None."""
    return _hooks.get(client)


def _question(client):
    """The nonce to sign, or an empty text; None when nothing is asked, or somebody took it."""
    box = c_void_p()
    done(C.nats_client_question(client.handle, byref(box)))
    if not box.value:
        return None
    try:
        return event.to_python(box.value).text
    finally:
        C.nats_event_free(box.value)


def answer(client):
    """If it is asked, and has a function."""
    hook = _hooks.get(client)
    nonce = _question(client) if hook is not None else None
    if nonce is None:
        return
    given = dict(hook(nonce) or {})
    for name in given:
        if name not in TEXTS and name != "signature":
            raise error.Invalid("credentials: %r is none of %s, signature" %
                                (name, ", ".join(TEXTS)), str(name))
    give(client, **given)


def _answer_all():
    for client in list(_hooks):
        if C.nats_client_status(client.handle) != CLOSED:
            answer(client)


core.when_interrupted.append(_answer_all)
