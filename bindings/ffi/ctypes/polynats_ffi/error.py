"""Errors: one family, each also what Python calls such a thing."""


class Error(Exception):
    """code: the status's name; about: the subject, option, argument or limit that it is about."""

    code = "UNKNOWN"

    def __init__(self, text, about="", code=None):
        super().__init__(text)
        self.text = text
        self.about = about
        if code is not None:
            self.code = code


class Timeout(Error, TimeoutError):
    code = "TIMEOUT"


class NoResponders(Error):
    code = "NO_RESPONDERS"


class Closed(Error, ConnectionError):
    code = "CLOSED"


class Disconnected(Error, ConnectionError):
    code = "DISCONNECTED"


class AuthError(Error, PermissionError):
    code = "AUTH"


class PermissionDenied(Error, PermissionError):
    code = "PERMISSION"


class ProtocolError(Error):
    code = "PROTOCOL"


class MaxPayload(Error, ValueError):
    code = "MAX_PAYLOAD"


class SlowConsumer(Error):
    code = "SLOW_CONSUMER"


class Invalid(Error, ValueError):
    code = "INVALID"


class LimitReached(Error):
    code = "LIMIT"


class IOFailed(Error, ConnectionError):
    code = "IO"


class TLSError(Error, ConnectionError):
    code = "TLS"


class NoMemory(Error, MemoryError):
    code = "NO_MEMORY"


class Forked(Error):
    code = "FORKED"


class NotSupported(Error):
    code = "NOT_SUPPORTED"


class ServerError(Error):
    code = "SERVER"


class Interrupted(Error, InterruptedError):
    code = "INTERRUPTED"


CLASSES = {kind.code: kind for kind in Error.__subclasses__()}


def make(code, text, about):
    """The error for a status's name; one that a newer library has gained is a plain Error."""
    kind = CLASSES.get(code)
    return kind(text, about) if kind else Error(text, about, code)
