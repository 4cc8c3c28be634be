#!/usr/bin/env python3
"""Credentials that end while a connection lives: user JWTs that expire, users that are revoked.

The server is a real one with an operator and a full resolver, to which a new account JWT is pushed as an operator
does it. With fresh credentials, from a file that was written anew or from a function, the client is back within 2
s; the same refusal twice ends it with AUTH, but for auth_retry.
"""

import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bindings", "ffi", "ctypes"))
sys.dont_write_bytecode = True

import keys
import natsd

import polynats_ffi

SHORT = 2  # seconds that a JWT lives which is to expire
BACK = 2.0
PATIENCE = 15.0

CONFIG = """
operator: "%s"
system_account: %s
resolver: { type: full, dir: "%s", interval: "1m" }
resolver_preload: { %s: "%s", %s: "%s" }
"""


class Operator:
    """An operator with a system account and one that is used."""

    def __init__(self, folder):
        self.folder = folder
        self.operator, self.system, self.account, self.user, self.admin = (
            keys.Nkey(folder, kind, name) for kind, name in (
                ("operator", "operator"), ("account", "system"), ("account", "account"),
                ("user", "user"), ("user", "admin")))
        self.free = {"subs": -1, "data": -1, "payload": -1}

    def account_jwt(self, account, **claims):
        limits = dict(self.free, imports=-1, exports=-1, wildcards=True, conn=-1, leaf=-1)
        return keys.jwt(self.operator, account, dict(claims, type="account", limits=limits))

    def config(self):
        return CONFIG % (keys.jwt(self.operator, self.operator, {"type": "operator"}),
                         self.system.public, os.path.join(self.folder, "jwts"),
                         self.system.public, self.account_jwt(self.system),
                         self.account.public, self.account_jwt(self.account))

    def user_jwt(self, seconds, issuer=None, user=None):
        return keys.jwt(issuer or self.account, user or self.user, dict(self.free, type="user"),
                        exp=int(time.time()) + seconds)

    def creds(self, seconds):
        return keys.creds(self.user_jwt(seconds), self.user)

    def push(self, url, **claims):
        """As `nsc push` does it."""
        admin = keys.creds(self.user_jwt(60, self.system, self.admin), self.admin)
        with polynats_ffi.connect(url, creds=admin) as nc:
            reply = nc.request("$SYS.REQ.CLAIMS.UPDATE", self.account_jwt(self.account, **claims),
                               timeout=5)
            assert b'"code":200' in reply.data, reply.data


class Server(natsd.Server):
    """With a configuration that is no file of conformance's."""

    def __init__(self, binary, words):
        super().__init__(binary, "core")
        self.words = words

    def write_config(self):
        path = os.path.join(self.folder, "server.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.words)
        return path


def write(path, words):
    """In one step: the client may read at any time."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(words)
    os.replace(path + ".new", path)


def await_event(nc, wanted):
    """The event, and when it happened."""
    deadline = time.monotonic() + PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        event = nc.next_event(left)
        if event is not None and event.type == wanted:
            return event
    raise AssertionError("no event %s" % wanted)


def expect_back(nc, kind):
    lost = await_event(nc, "disconnected")
    back = await_event(nc, "reconnected")
    assert lost.kind == kind, lost.kind
    assert back.time - lost.time <= BACK, back.time - lost.time
    nc.flush(5)
    return back.time - lost.time


def expired_and_written_anew(operator, url):
    path = os.path.join(operator.folder, "user.creds")
    write(path, operator.creds(SHORT))
    with polynats_ffi.connect(url, creds=path) as nc:
        write(path, operator.creds(600))
        print("expired, and a file written anew: back in %.3f s" % expect_back(nc, "auth_expired"))


def expired_and_a_function(operator, url):
    seconds = [600, SHORT]

    def fresh(nonce):
        assert nonce
        return {"jwt": operator.user_jwt(seconds.pop()), "seed": operator.user.seed}

    with polynats_ffi.connect(url, credentials=fresh) as nc:
        print("expired, and a function: back in %.3f s" % expect_back(nc, "auth_expired"))
    assert seconds == []


def expired_for_good(operator, url):
    path = os.path.join(operator.folder, "stale.creds")
    write(path, operator.creds(SHORT))
    with polynats_ffi.connect(url, creds=path, reconnect_wait=0.05) as nc:
        closed = await_event(nc, "closed")
        assert closed.status == "AUTH", closed.status
        try:
            nc.publish("t", b"x")
        except polynats_ffi.Closed:
            print("expired for good: closed with AUTH")
            return
    raise AssertionError("it is not closed")


def revoked_and_replaced(operator, url):
    """The same user is let in with a JWT that was issued after the revocation."""
    path = os.path.join(operator.folder, "revoked.creds")
    write(path, operator.creds(600))
    with polynats_ffi.connect(url, creds=path, auth_retry=True, reconnect_wait=0.05,
                              reconnect_wait_max=0.2) as nc:
        operator.push(url, revocations={operator.user.public: int(time.time())})
        lost = await_event(nc, "disconnected")
        assert lost.kind == "auth_revoked", lost.kind
        refused = await_event(nc, "error")
        assert refused.status == "AUTH" and refused.recoverable, refused
        time.sleep(0.5)  # several refusals: none ends it
        operator.push(url)
        took = time.monotonic()
        await_event(nc, "reconnected")
        assert time.monotonic() - took <= BACK
        print("revoked, refused and let in again: back in %.3f s" % (time.monotonic() - took))


def revoked_for_good(operator, url):
    with polynats_ffi.connect(url, creds=operator.creds(600), reconnect_wait=0.05) as nc:
        operator.push(url, revocations={operator.user.public: int(time.time())})
        assert await_event(nc, "closed").status == "AUTH"
        print("revoked for good: closed with AUTH")


def main():
    binary = os.environ["NATS_SERVER_BIN"]
    with tempfile.TemporaryDirectory(prefix="expiry-") as folder:
        operator = Operator(folder)
        server = Server(binary, operator.config())
        try:
            server.start()
            url = "nats://127.0.0.1:%d" % server.port
            expired_and_written_anew(operator, url)
            expired_and_a_function(operator, url)
            expired_for_good(operator, url)
            revoked_and_replaced(operator, url)
            revoked_for_good(operator, url)
        finally:
            server.end()


main()
