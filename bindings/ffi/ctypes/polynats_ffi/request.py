"""Requests and futures: a request waits as a future, so that Ctrl-C can end the wait."""

from ctypes import byref, c_int32

from . import core, message
from .core import C, count_in, data_in, ms_in, text_in, waiting

FOR_EVER = -1


class Future:
    """A request under way. One thread at a time."""

    def __init__(self, client, handle):
        self.client, self.handle, self._kept = client, handle, []

    def poll(self):
        """The reply, or None while it is open; its error is raised once."""
        return self._take(lambda _, box: C.nats_future_poll(self.handle, box, byref(c_int32())), 0)

    def wait(self, timeout=None):
        """The reply. Timeout also when only this wait was up: done() is false then."""
        return self._take(lambda left, box: C.nats_future_wait(self.handle, left, box),
                          ms_in(timeout))

    def _take(self, step, ms):
        if self._kept:
            return self._kept.pop(0)
        return message.take_one(step, ms, self.client, self._kept)

    def done(self):
        """Whether a reply or an error is there, or was taken."""
        return bool(C.nats_future_done(self.handle))

    def cancel(self):
        """No reply is wanted any more."""
        C.nats_future_cancel(self.handle)

    def __repr__(self):
        return "<nats future (%s)>" % ("done" if self.done() else "open")


def start(client, subject, data, timeout, headers):
    """A future for one reply."""
    subject, data, ms = text_in(subject, "subject"), data_in(data), ms_in(timeout)
    headers = message.make_headers(headers)

    def make(out):
        # While the server takes nothing this waits as a publish does.
        return waiting(lambda _: C.nats_client_request_start(
            client.handle, subject, len(subject), headers, data, len(data), ms, out), FOR_EVER)

    return Future(client, core.new_handle(make, C.nats_future_free))


def one(client, subject, data, timeout, headers):
    """The reply."""
    future = start(client, subject, data, timeout, headers)
    try:
        return future.wait()
    finally:
        future.handle.free()  # now: the collector may come late


def many(client, subject, data, max, stall, timeout, sentinel, headers):
    """A list of replies."""
    subject, data = text_in(subject, "subject"), data_in(data)
    most, stall_ms, ms = count_in(max, "max", 0, 0), ms_in(stall, "stall", 0), ms_in(timeout)
    if not isinstance(sentinel, bool):
        raise TypeError("sentinel must be a bool, not %s" % type(sentinel).__name__)
    if stall_ms < 0:
        stall_ms = 0  # as long as the whole may take
    headers = message.make_headers(headers)

    def make(out):
        return waiting(lambda _: C.nats_client_request_many(
            client.handle, subject, len(subject), headers, data, len(data), most, stall_ms, ms,
            sentinel, out), FOR_EVER)

    future, replies = Future(client, core.new_handle(make, C.nats_future_free)), []
    try:
        while (reply := future.wait()) is not None:
            replies.append(reply)
    finally:
        future.handle.free()
    return replies
