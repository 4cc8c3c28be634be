"""Errors: one family, each also what Python calls such a thing. The names are those of `polynats`."""


class Error(Exception):
    """code: the status's name; about: the subject, option, argument or limit that it is about.
    Of JetStream's: err_code (10059: no such stream …); status, which is like HTTP's; failures, of
    publish_many; published and first: how many were accepted, and the number of the first."""

    code = "UNKNOWN"
    err_code = status = published = first = 0
    said = ""
    failures = ()

    def __init__(self, text, about="", code=None):
        super().__init__(text)
        self.about = about
        if code is not None:
            self.code = code

    @property
    def description(self):
        """The server's own words, such as "stream not found"; where it said nothing the whole text."""
        return self.said or str(self)

    @property
    def text(self):
        return str(self)


CLASSES = {}  # by the status's name


def _family(name, code, *relatives):
    made = type(name, (Error, *relatives), {"code": code, "__module__": __name__})
    CLASSES[code] = made
    return made


Timeout = _family("Timeout", "TIMEOUT", TimeoutError)
NoResponders = _family("NoResponders", "NO_RESPONDERS")
Closed = _family("Closed", "CLOSED", ConnectionError)
Disconnected = _family("Disconnected", "DISCONNECTED", ConnectionError)
Auth = _family("Auth", "AUTH", ConnectionError)
Permission = _family("Permission", "PERMISSION", PermissionError)
Protocol = _family("Protocol", "PROTOCOL", ConnectionError)
MaxPayload = _family("MaxPayload", "MAX_PAYLOAD", ValueError)
SlowConsumer = _family("SlowConsumer", "SLOW_CONSUMER")
Invalid = _family("Invalid", "INVALID", ValueError)
Limit = _family("Limit", "LIMIT")
IO = _family("IO", "IO", ConnectionError)
TLS = _family("TLS", "TLS", ConnectionError)
NoMemory = _family("NoMemory", "NO_MEMORY", MemoryError)
Forked = _family("Forked", "FORKED", RuntimeError)
NotSupported = _family("NotSupported", "NOT_SUPPORTED")
Server = _family("Server", "SERVER")
Interrupted = _family("Interrupted", "INTERRUPTED", InterruptedError)


def invalid(about, text):
    """A wrong argument."""
    return Invalid(text, about)


def make(code, text, about):
    """The error for a status's name; one that a newer library has gained is a plain Error."""
    kind = CLASSES.get(code)
    return kind(text, about) if kind else Error(text, about, code)
