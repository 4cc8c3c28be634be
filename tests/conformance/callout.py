"""Who answers an auth callout: the server asks it who a client is, and it signs what that one may do.

A client of the server's own protocol and nothing else, in a thread. It lets in who says `open sesame` as a token, or
has the password `sesame`, and nobody else.
"""

import base64
import json
import socket
import threading

SUBJECT = b"$SYS.REQ.USER.AUTH"
PASSWORD = "sesame"
TOKEN = "open sesame"
CONNECT = (b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"protocol":1,'
           b'"user":"callout","pass":"callout"}\r\nSUB %s 1\r\nPING\r\n' % SUBJECT)


class Subject:
    """Whom a JWT is about."""

    def __init__(self, public):
        self.public = public


def claims_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


class Callout:
    """Answers one server's questions until it is gone."""

    def __init__(self, port, issuer, sign):
        self.issuer, self.sign = issuer, sign
        self.link = socket.create_connection(("127.0.0.1", port), 5)
        self.stream = self.link.makefile("rb")
        self.link.sendall(CONNECT)
        while self.stream.readline().strip() != b"PONG":
            pass
        self.link.settimeout(None)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while line := self.stream.readline():
                words = line.split()
                if words[0] == b"PING":
                    self.link.sendall(b"PONG\r\n")
                elif words[0] in (b"MSG", b"HMSG"):
                    data = self.stream.read(int(words[-1]) + 2)[:-2]
                    head = int(words[-2]) if words[0] == b"HMSG" else 0
                    self.answer(words[3], data[head:].decode())
        except (OSError, ValueError):
            return

    def answer(self, reply, question):
        asked = claims_of(question)["nats"]
        user = Subject(asked["user_nkey"])
        claims = {"type": "authorization_response"}
        given = asked["connect_opts"]
        if given.get("auth_token") == TOKEN or given.get("pass") == PASSWORD:
            free = {"subs": -1, "data": -1, "payload": -1}
            claims["jwt"] = self.sign(self.issuer, user, dict(
                free, type="user", pub={"deny": ["secret"]}, sub={}), aud="$G")
        else:
            claims["error"] = "no"
        response = self.sign(self.issuer, user, claims, aud=asked["server_id"]["id"]).encode()
        self.link.sendall(b"PUB %s %d\r\n%s\r\n" % (reply, len(response), response))


def wanted(config):
    """Does this configuration ask somebody?"""
    return "auth_callout" in config
