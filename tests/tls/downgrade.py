#!/usr/bin/env python3
"""Whoever sits between client and server gets no credentials, whatever he makes of the server's words.

He strips tls_required from INFO, names another host in it, tells of servers of his own, speaks old TLS, or offers TLS
with a certificate that is good for another name. Not one byte of CONNECT may reach him in clear, nor through his TLS.
"""

import json
import os
import socket
import ssl
import sys
import threading
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bindings", "ffi", "ctypes"))
sys.dont_write_bytecode = True

import natsd

import polynats_ffi

TOKEN = "hunter2-token"
INFO = {"server_id": "X", "version": "2.10.0", "max_payload": 1048576, "auth_required": True}
SECONDS = 10.0


def line(info):
    return b"INFO " + json.dumps(info).encode() + b"\r\n"


class Listener:
    """Takes connections on a free port, one after the other; keeps what came, in clear and by TLS."""

    def __init__(self, talk):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.clear, self.inside, self.count = b"", b"", 0
        self.open = []
        threading.Thread(target=self.run, args=(talk,), daemon=True).start()

    def run(self, talk):
        while True:
            try:
                link = self.listener.accept()[0]
            except OSError:
                return
            self.count += 1
            self.open.append(link)
            threading.Thread(target=self.serve, args=(talk, link), daemon=True).start()

    def close(self):
        """Nobody is let in any more: also the thread that waits for somebody wakes up."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self, talk, link):
        try:
            talk(self, link)
        except (OSError, ssl.SSLError):
            pass
        finally:
            link.close()

    def keep_clear(self, link):
        while data := link.recv(65536):
            self.clear += data


def context(material, cert, **versions):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")
    for name, version in versions.items():
        setattr(made, name, version)
    made.load_cert_chain(material.path(cert + ".pem"), material.path(cert + ".key"))
    return made


def rewriting(port, change):
    """A relay that changes the server's first line, and passes on the rest."""
    def down(server, link):
        try:
            while data := server.recv(65536):
                link.sendall(data)
        except OSError:
            pass
        link.close()

    def talk(self, link):
        server = socket.create_connection(("127.0.0.1", port))
        with server:
            words = b""
            while not words.endswith(b"\n"):
                words += server.recv(1)
            info = json.loads(words[5:])
            change(info)
            link.sendall(line(info))
            threading.Thread(target=down, args=(server, link), daemon=True).start()
            while data := link.recv(65536):
                self.clear += data
                server.sendall(data)
    return Listener(talk)


def secure(material, cert, infos, **versions):
    """A server of his own: says the first INFO in clear, the second by TLS, and keeps all."""
    def talk(self, link):
        link.sendall(line(infos[0]))
        with context(material, cert, **versions).wrap_socket(link, server_side=True) as inner:
            inner.sendall(line(infos[1]))
            while data := inner.recv(65536):
                self.inside += data
                if b"PING\r\n" in data:
                    inner.sendall(b"PONG\r\n")
    return Listener(talk)


def plain(info):
    """One that speaks no TLS at all."""
    def talk(self, link):
        link.sendall(line(info))
        self.keep_clear(link)
    return Listener(talk)


def options(material, **more):
    return dict(more, tls_ca=material.path("ca.pem"), connect_timeout=2, reconnect_wait=0.02)


def untouched(*listeners):
    for each in listeners:
        assert TOKEN.encode() not in each.clear and b"CONNECT" not in each.clear, each.clear
        assert TOKEN.encode() not in each.inside, each.inside


def refused(url, material, *words):
    try:
        polynats_ffi.connect(url, **options(material)).close()
    except polynats_ffi.Error as problem:
        assert problem.code == "TLS", problem
        assert all(word in str(problem) for word in words), problem
        return
    raise AssertionError("connected to " + url)


def stripped(material, server):
    def strip(info):
        info.update(tls_required=False, tls_available=False, host="evil.example")
    man = rewriting(server.port, strip)
    for scheme in ("tls", "nats"):
        with polynats_ffi.connect("%s://%s@localhost:%d" % (scheme, TOKEN, man.port),
                                  **options(material)) as nc:
            nc.flush(5)
    untouched(man)
    print("stripped of tls_required: TLS all the same")


def evil_servers(material, server):
    """He tells of servers in clear, and cuts the connection to the good one."""
    elsewhere = secure(material, "elsewhere", (dict(INFO, tls_required=True), INFO))
    naked = plain(dict(INFO, tls_required=False))
    urls = ["127.0.0.1:%d" % elsewhere.port, "http://127.0.0.1:%d" % naked.port,
            "127.0.0.1:%d" % naked.port]
    man = rewriting(server.port, lambda info: info.update(connect_urls=urls))
    with polynats_ffi.connect("tls://%s@localhost:%d" % (TOKEN, man.port),
                              **options(material)) as nc:
        man.close()
        for link in man.open:
            link.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + SECONDS
        while (elsewhere.count < 1 or naked.count < 1) and time.monotonic() < deadline:
            nc.next_event(0.05)
        assert elsewhere.count >= 1 and naked.count >= 1, (elsewhere.count, naked.count)
    untouched(man, elsewhere, naked)
    print("servers that he tells of: tried, and told nothing")


def other_names(material):
    """The certificate is good, for another host; what INFO calls itself changes nothing."""
    info = dict(INFO, tls_required=True, host="elsewhere.example")
    man = secure(material, "elsewhere", (info, info))
    refused("tls://%s@localhost:%d" % (TOKEN, man.port), material, "not for localhost")
    untouched(man)
    print("a certificate for another name: refused")


def old_versions(material):
    warnings.simplefilter("ignore", DeprecationWarning)  # of what must be refused
    for name, version in (("1.0", ssl.TLSVersion.TLSv1), ("1.1", ssl.TLSVersion.TLSv1_1)):
        man = secure(material, "good", (dict(INFO, tls_required=True), INFO),
                     maximum_version=version, minimum_version=ssl.TLSVersion.TLSv1)
        refused("tls://%s@localhost:%d" % (TOKEN, man.port), material, "protocol version")
        untouched(man)
        print("TLS %s: refused" % name)


def later_info_counts(material):
    """What was said before TLS may have been said by anybody: the INFO inside takes its place."""
    first = dict(INFO, tls_required=True, server_name="anybody", max_payload=10)
    man = secure(material, "good", (first, dict(INFO, server_name="itself")))
    with polynats_ffi.connect("tls://%s@localhost:%d" % (TOKEN, man.port), **options(material),
                              keeper=False) as nc:
        deadline = time.monotonic() + SECONDS
        while nc.server_info()["server_name"] != "itself" and time.monotonic() < deadline:
            nc.next_event(0.02)
        assert nc.server_info()["server_name"] == "itself" and nc.max_payload() == 1048576
    assert b"CONNECT" in man.inside and man.clear == b""
    print("the INFO inside of TLS counts")


def main():
    material = natsd.run_keys()
    server = natsd.Server(os.environ["NATS_SERVER_BIN"], "tls:good")
    try:
        server.start()
        stripped(material, server)
        evil_servers(material, server)
    finally:
        server.end()
    other_names(material)
    old_versions(material)
    later_info_counts(material)


main()
