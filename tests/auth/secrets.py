#!/usr/bin/env python3
"""No secret is in what the library says: errors, events, lines of the log and of the trace, counters, INFO.

Each kind of credentials is given right, wrong, and broken in every way that has an error of its own, to servers that
take it and servers that do not. What is left in memory is searched by tests/integration/secrets_test.c.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bindings", "ffi", "ctypes"))
sys.dont_write_bytecode = True

import natsd

import polynats_ffi

# Of the servers' configurations, and others; no text may have any of them, nor a part of the long ones.
PASSWORD = "p@ss:w/rd"
TOKEN = "hunter2-token"
WRONG = "hunter2-wrong"
PART = 12  # characters of a seed, a JWT or a key that tell too much of it

class Watch:
    """The secrets, and every text that comes out."""

    def __init__(self, values):
        self.words = [PASSWORD, TOKEN, "hunter2", "p%40ss"]
        self.texts = 0
        for name in ("NKEY_SEED", "USER_JWT"):
            self.add_long(values[name])

    def add_long(self, secret):
        """All of its parts but for the beginning, which every secret of its kind has."""
        for at in range(PART, len(secret) - PART, PART // 2):
            self.words.append(secret[at : at + PART])

    def look(self, text):
        self.texts += 1
        for word in self.words:
            assert word not in text, "%r is in %r" % (word, text)

    def look_at(self, client):
        """All that a client says of itself."""
        self.look(repr(client) + str(client.stats()))
        if client.status != "closed":
            for known in (client.server_info(), client.info(), client.server_info_json()):
                self.look(repr(known))
        try:
            while event := client.next_event(0):
                self.look(repr(vars(event)))
        except polynats_ffi.Closed:
            return  # and all has been told

    def error(self, problem):
        self.look("%s %s %r" % (problem, getattr(problem, "about", ""), vars(problem)))


def attempt(watch, url, **options):
    """Connect, or fail, and look at what is said. Its code."""
    options = dict(options, connect_timeout=2, reconnect=False, trace=True)
    try:
        client = polynats_ffi.connect(url, **options)
    except polynats_ffi.Error as problem:
        watch.error(problem)
        return problem.code
    client.publish("a", b"x")
    client.flush(2)
    watch.look_at(client)
    client.close()
    watch.look_at(client)
    return "OK"


def expect(found, *codes):
    assert found in codes, "%s, and not %s" % (found, codes)


# ---- kinds ----


def passwords(watch, serve):
    server = serve("users")
    quoted = "p%40ss%3aw%2frd"
    near = "127.0.0.1:%d" % server.port
    expect(attempt(watch, "nats://" + near, user="boss", password=PASSWORD), "OK")
    expect(attempt(watch, "nats://boss:%s@%s" % (quoted, near)), "OK")
    expect(attempt(watch, "nats://" + near, user="boss", password=WRONG), "AUTH")
    expect(attempt(watch, "nats://boss:%s@%s" % (WRONG, near)), "AUTH")
    expect(attempt(watch, "nats://%s@%s" % (WRONG, near)), "AUTH")
    for bad in (WRONG + "\n", WRONG + "\x01", WRONG * 1000):
        expect(attempt(watch, "nats://" + near, user="boss", password=bad), "INVALID")
    expect(attempt(watch, "nats://" + near, password=WRONG), "INVALID")
    expect(attempt(watch, "nats://%s@%s" % (WRONG, near), user="boss", password=WRONG), "INVALID")
    expect(attempt(watch, "nats://" + near, user="boss", password=WRONG, token=WRONG), "INVALID")
    for url in ("nats://boss:%s@%s:99999" % (WRONG, near), "nats://boss:%s%%zz@%s" % (WRONG, near),
                "nats://boss:%s/@%s" % (WRONG, near), "nats://boss:%s@" % WRONG,
                "http://boss:%s@%s" % (WRONG, near), "nats://boss:%s@host name" % WRONG,
                "nats:/boss:%s@%s" % (WRONG, near), "nats://boss@%s:%s" % (near, WRONG),
                "nats://boss:%s@127.0.0.1:1,nats://x:%s@127.0.0.1:0" % (WRONG, WRONG)):
        expect(attempt(watch, url), "INVALID")


def tokens(watch, serve):
    near = "localhost:%d" % serve("tls:good").port
    ca = natsd.run_keys().path("ca.pem")
    expect(attempt(watch, "tls://" + near, token=TOKEN, tls_ca=ca), "OK")
    expect(attempt(watch, "tls://%s@%s" % (TOKEN, near), tls_ca=ca), "OK")
    expect(attempt(watch, "tls://%s@%s" % (WRONG, near), tls_ca=ca), "AUTH")
    expect(attempt(watch, "tls://%s@%s" % (TOKEN, near)), "TLS")
    expect(attempt(watch, "tls://" + near, token=TOKEN + "\0", tls_ca=ca), "INVALID")


def nkeys(watch, serve):
    near = "nats://127.0.0.1:%d" % serve("nkeys").port
    seed = natsd.run_keys().values["NKEY_SEED"]
    expect(attempt(watch, near, nkey=seed), "OK")
    expect(attempt(watch, near), "AUTH")
    other = "B" if seed[30] == "A" else "A"
    for bad in (seed[:-1], seed[1:], seed + "A", seed[:20], seed[:30] + other + seed[31:],
                seed[:30] + "1" + seed[31:], seed.lower(), '"%s"' % seed, "\n" + seed[:-1],
                "-----BEGIN USER NKEY SEED-----\n%s\n" % seed,
                "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------" % seed[:-2]):
        expect(attempt(watch, near, nkey=bad), "INVALID", "IO")
    expect(attempt(watch, near, nkey=seed, token=WRONG), "INVALID")


def jwts(watch, serve):
    near = "nats://127.0.0.1:%d" % serve("operator").port
    made = natsd.run_keys()
    jwt, seed = made.values["USER_JWT"], made.values["NKEY_SEED"]
    with open(made.path("user.creds"), encoding="ascii") as file:
        creds = file.read()
    expect(attempt(watch, near, creds=creds), "OK")
    expect(attempt(watch, near, creds=made.path("user.creds")), "OK")
    expect(attempt(watch, near, jwt=jwt, nkey=seed), "OK")
    expect(attempt(watch, near, jwt=jwt), "AUTH")
    for name in ("wrong.creds", "revoked.creds", "expired.creds"):
        expect(attempt(watch, near, creds=made.path(name)), "AUTH")
    lines = creds.splitlines(True)
    for at, line in enumerate(lines):
        if "-----" in line or seed in line or jwt in line:
            broken = "".join(lines[:at] + lines[at + 1 :])
            expect(attempt(watch, near, creds=broken), "INVALID", "IO")
    for bad in (jwt[3:], jwt + "!", jwt.replace(".", "", 1), jwt.replace(".", " ")):
        expect(attempt(watch, near, jwt=bad, nkey=seed), "INVALID", "IO")
        expect(attempt(watch, near, creds=bad), "INVALID", "IO")
    expect(attempt(watch, near, creds=creds.replace("-", "")), "INVALID", "IO")


def private_keys(watch, serve):
    near = "tls://localhost:%d" % serve("tls-mutual").port
    made = natsd.run_keys()
    options = {"tls_ca": made.path("ca.pem"), "tls_cert": made.path("client.pem")}
    with open(made.path("client.key"), encoding="ascii") as file:
        key = file.read()
    locked = subprocess.run(["openssl", "pkey", "-aes256", "-passout", "pass:" + WRONG], input=key,
                            text=True, capture_output=True, check=True).stdout
    for text in (key, locked):
        for line in text.splitlines():
            if "-----" not in line:
                watch.add_long(line)
    expect(attempt(watch, near, tls_key=key, **options), "OK")
    body = "".join(line for line in key.splitlines() if "-----" not in line)
    for bad in (locked, body, body[:30], key[5:], key.replace("-----BEGIN", "--BEGIN"),
                key[:60] + key[61:], key[:100], key.replace("PRIVATE", "PUBLIC"),
                key.split("-----END")[0]):
        expect(attempt(watch, near, tls_key=bad, **options), "INVALID", "IO")


def headers(watch, serve):
    server = serve("websocket-tls")
    url = "wss://%s@localhost:%d/path" % (TOKEN, server.ws_port)
    ca = natsd.run_keys().path("ca.pem")
    key = "X-Key: " + WRONG
    expect(attempt(watch, url, tls_ca=ca, ws_headers=key), "OK")
    expect(attempt(watch, url.replace(TOKEN, WRONG), tls_ca=ca, ws_headers=key), "AUTH")
    for bad in (WRONG, "X-Key %s: x" % WRONG, key + "\nUpgrade: " + WRONG, key + "\x01"):
        expect(attempt(watch, url, tls_ca=ca, ws_headers=bad), "INVALID")


# ---- given by a function ----


def asked(watch, serve):
    near = "nats://127.0.0.1:%d" % serve("users").port
    seed = natsd.run_keys().values["NKEY_SEED"]
    for code, given in (("OK", {"user": "boss", "password": PASSWORD}),
                        ("AUTH", {"user": "boss", "password": WRONG}),
                        ("AUTH", {"token": WRONG}), ("AUTH", {"seed": seed}),
                        ("INVALID", {"seed": seed[:-1]}), ("INVALID", {"seed": seed + "A"}),
                        ("INVALID", {"user": "boss", "password": WRONG * 10000})):
        expect(attempt(watch, near, credentials=lambda _, given=given: given), code)


def main():
    servers = []

    def serve(config):
        servers.append(natsd.Server(os.environ["NATS_SERVER_BIN"], config))
        servers[-1].start()
        return servers[-1]

    watch = Watch(natsd.run_keys().values)
    try:
        for kind in (passwords, tokens, nkeys, jwts, private_keys, headers, asked):
            before = watch.texts
            kind(watch, serve)
            print("%s: %d texts, no secret" % (kind.__name__, watch.texts - before), flush=True)
    finally:
        for server in servers:
            server.end()


main()
