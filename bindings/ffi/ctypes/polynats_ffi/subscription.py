"""Subscriptions."""

from ctypes import byref, c_size_t, c_uint64

from . import core, declarations, message
from .core import C, bytes_at, count_in, done, ms_in, text_out, waiting
from .error import Closed

FOR_EVER = -1
STATS = ("pending", "pending_bytes", "delivered", "dropped", "received")


class Subscription:
    """Made by Client.subscribe. Iterating over it gives its messages until it has ended."""

    def __init__(self, client, handle, callback):
        self.client, self.handle, self.callback = client, handle, callback
        self.sid = C.nats_sub_sid(handle)

    @property
    def subject(self):
        size = c_size_t()
        return text_out(bytes_at(C.nats_sub_subject(self.handle, byref(size)), size))

    @property
    def queue(self):
        """None when it is in no queue group."""
        size = c_size_t()
        text = bytes_at(C.nats_sub_queue(self.handle, byref(size)), size)
        return text_out(text) if text else None

    def next(self, timeout=None):
        """A message; None on silence. Closed when it has ended and given all."""
        ms = ms_in(timeout)
        kept = self.client.take_kept(1, self.sid)
        if kept:
            return kept[0]
        return message.take_one(lambda left, box: C.nats_sub_next(self.handle, left, box), ms,
                                self.client, self.client.kept)

    def get(self, max=None, wait=None):
        """A list of what has arrived; it waits for the first one."""
        most, ms = message.get_args(max, wait)
        return message.take_list(
            lambda *rest: C.nats_sub_get(self.handle, *rest), self.client, most, ms, self.sid)

    def messages(self, timeout=None):
        """An iterator: until it ends, or nothing came for timeout."""
        ms_in(timeout)
        if self.callback is not None:
            raise TypeError("messages: this subscription has a callback")
        status = C.nats_sub_set_mode(self.handle, declarations.NATS_SUB_PRIVATE)
        if status not in (declarations.NATS_OK, declarations.NATS_ERR_CLOSED):
            raise core.failure(status)
        self.client.private.add(self.sid)
        return self._iterate(timeout)

    def _iterate(self, timeout):
        try:
            while (msg := self.next(timeout)) is not None:
                yield msg
        except Closed:
            return

    def __iter__(self):
        return self.messages()

    def unsubscribe(self, after=None):
        """End it now, or exactly after so many messages in all."""
        after = count_in(after, "after", 0, 0)
        self.client.ended = True
        done(waiting(lambda _: C.nats_sub_unsubscribe(self.handle, after), FOR_EVER))

    def drain(self, timeout=None):
        """End it and wait for what is under way, which can then be taken."""
        ms = ms_in(timeout)
        self.client.ended = True
        done(waiting(lambda left: C.nats_sub_drain(self.handle, left), ms,
                     self.client.drain_ms))

    def stats(self):
        """What waits in it, and what it has seen."""
        values = (c_uint64 * len(STATS))()
        C.nats_sub_stats(self.handle, values, len(STATS))
        return dict(zip(STATS, values))

    @property
    def active(self):
        """Whether messages can still come."""
        return bool(C.nats_sub_active(self.handle))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.active:
            self.unsubscribe()

    def __repr__(self):
        return "<nats subscription %s>" % self.subject
