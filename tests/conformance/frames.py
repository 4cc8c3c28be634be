"""WebSocket as the scripted server speaks it: the upgrade, frames out, frames in."""

import base64
import hashlib
import zlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TAIL = b"\x00\x00\xff\xff"
EXTENSION = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover"
BINARY = 2
CONTROLS = {8: "close", 9: "ping", 10: "pong"}


class Wrong(Exception):
    """The client's frames break the rules."""


def answer(key, words):
    """The good answer to a request with that key. words: `deflate`, `takeover`."""
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Accept: " + accept]
    if "deflate" in words:
        takeover = "" if "takeover" in words else "; server_no_context_takeover"
        lines.append(EXTENSION + takeover)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Frames:
    """One upgraded connection."""

    def __init__(self, words):
        self.deflate = "deflate" in words
        self.takeover = "takeover" in words
        self.packer = None
        self.raw = b""
        self.key = None
        self.controls = []

    def pack(self, data):
        if self.packer is None or not self.takeover:
            self.packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        return packed[: -len(TAIL)]

    def encode(self, data):
        """A message of the server."""
        first = 0x80 | BINARY
        if self.deflate:
            data, first = self.pack(data), first | 0x40
        if len(data) < 126:
            head = bytes([first, len(data)])
        elif len(data) < 65536:
            head = bytes([first, 126]) + len(data).to_bytes(2, "big")
        else:
            head = bytes([first, 127]) + len(data).to_bytes(8, "big")
        return head + data

    def take(self):
        """(first byte, payload) of the next whole frame, or None."""
        raw = self.raw
        if len(raw) < 2:
            return None
        if not raw[1] & 0x80:
            raise Wrong("the client's frame is not masked")
        size, at = raw[1] & 0x7F, 2
        if size > 125:
            more = 2 if size == 126 else 8
            size, at = int.from_bytes(raw[2 : 2 + more], "big"), 2 + more
        if len(raw) < at + 4 + size:
            return None
        key, payload = raw[at : at + 4], raw[at + 4 : at + 4 + size]
        if key == self.key:
            raise Wrong("two frames have the same key")
        self.key = key
        self.raw = raw[at + 4 + size :]
        repeated = (key * (size // 4 + 1))[:size]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
        return raw[0], masked.to_bytes(size, "big")

    def decode(self, data):
        """What is in the client's frames; control frames go to self.controls."""
        self.raw += data
        came = b""
        frame = self.take()
        while frame is not None:
            came += self.payload(*frame)
            frame = self.take()
        return came

    def payload(self, first, data):
        op = first & 0x0F
        if op in CONTROLS:
            self.controls.append((CONTROLS[op], data))
            return b""
        if first & 0x40:
            if not self.deflate:
                raise Wrong("the client compresses, and it was not agreed on")
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data + TAIL)
        if first & 0xBF != 0x80 | BINARY:
            raise Wrong("the client's frame begins with 0x%02x" % first)
        return data


def control_text(name, data):
    """`close 1000 reason`, `pong data`: as scripts have it, data as bytes."""
    if name == "close" and len(data) >= 2:
        data = b"%d %s" % (int.from_bytes(data[:2], "big"), data[2:])
    return (name.encode() + b" " + data).strip()
