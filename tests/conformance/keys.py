"""Keys, certificates and JWTs for a run, made by the openssl program in a folder of their own."""

import base64
import binascii
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time

import text

PREFIXES = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
PREFIX_SEED = 18 << 3
# What stands before 32 bytes of an Ed25519 key in PKCS #8.
PRIVATE_KEY_HEAD = bytes.fromhex("302e020100300506032b657004220420")

CA_CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
rand_serial = yes
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
"""
LONG_AGO, PAST = "20000101000000Z", "20010101000000Z"
FAR_OFF, FURTHER = "20490101000000Z", "20491231000000Z"


def openssl(*words, data=None):
    result = subprocess.run(["openssl", *words], input=data, capture_output=True, check=False)
    if result.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (words[0], result.stderr.decode()))
    return result.stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_text(data):
    """base32 with a check sum behind it, as NATS writes keys."""
    whole = data + struct.pack("<H", binascii.crc_hqx(data, 0))
    return base64.b32encode(whole).rstrip(b"=").decode()


class Nkey:
    """A key pair of NATS, in a file that openssl signs with."""

    def __init__(self, folder, kind, name):
        raw = os.urandom(32)
        prefix = PREFIXES[kind]
        self.path = os.path.join(folder, name + ".der")
        with open(self.path, "wb") as file:
            file.write(PRIVATE_KEY_HEAD + raw)
        public = openssl("pkey", "-inform", "DER", "-in", self.path, "-pubout", "-outform", "DER")
        self.public = key_text(bytes([prefix]) + public[-32:])
        self.seed = key_text(bytes([PREFIX_SEED | prefix >> 5, (prefix & 31) << 3]) + raw)

    def sign(self, data):
        with tempfile.NamedTemporaryFile() as file:  # several threads may sign at once
            file.write(data)
            file.flush()
            return openssl("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", self.path,
                           "-in", file.name)


def jwt(issuer, subject, claims, **times):
    """A JWT of NATS: who, for whom, what."""
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    body = {"jti": subject.public, "iat": int(time.time()) - 60, "iss": issuer.public,
            "name": "conformance", "sub": subject.public, "nats": dict(claims, version=2)}
    body.update(times)
    parts = ".".join(base64url(json.dumps(part).encode()) for part in (head, body))
    return parts + "." + base64url(issuer.sign(parts.encode()))


def creds(user_jwt, user):
    return ("-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"
            "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n"
            % (user_jwt, user.seed))


class Keys:
    """All of a run. `values` are the words @NAME@ of server configurations, and $NAME of cases."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="conformance-keys-")
        self.values = {"KEYS": self.folder}
        self.make_nkeys()
        self.make_certificates()

    def end(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, words):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(words)

    def substitute(self, words):
        return re.sub(r"@([A-Z_]+)@", lambda found: self.values[found.group(1)], words)

    # ---- nkeys and JWTs ----

    def make_nkeys(self):
        user = Nkey(self.folder, "user", "user")
        self.values.update(NKEY=user.public, NKEY_SEED=user.seed)
        self.write("user.nk", user.seed + "\n")
        operator = Nkey(self.folder, "operator", "operator")
        account = Nkey(self.folder, "account", "account")
        revoked = Nkey(self.folder, "user", "revoked")
        other = Nkey(self.folder, "user", "other")
        unlimited = {"subs": -1, "data": -1, "payload": -1}
        limits = dict(unlimited, imports=-1, exports=-1, wildcards=True, conn=-1, leaf=-1)
        account_jwt = jwt(operator, account, {
            "type": "account", "limits": limits, "default_permissions": {"pub": {}, "sub": {}},
            "revocations": {revoked.public: int(time.time())}})
        user_claims = dict(unlimited, type="user", pub={"deny": ["secret"]}, sub={})
        user_jwt = jwt(account, user, user_claims)
        self.values.update(
            OPERATOR_JWT=jwt(operator, operator, {"type": "operator"}),
            ACCOUNT=account.public, ACCOUNT_JWT=account_jwt, USER_JWT=user_jwt,
            BEARER_JWT=jwt(account, other, dict(user_claims, bearer_token=True)))
        self.account, self.user, self.user_claims = account, user, user_claims
        self.issuer = Nkey(self.folder, "account", "issuer")
        limited = Nkey(self.folder, "account", "limited")
        self.values.update(
            ISSUER=self.issuer.public, LIMITED=limited.public,
            LIMITED_JWT=jwt(operator, limited, {"type": "account", "limits": dict(limits, conn=1)}),
            LIMITED_USER_JWT=jwt(limited, user, user_claims))
        self.write("user.jwt", user_jwt + "\n")
        self.write("user.creds", creds(user_jwt, user))
        self.write("wrong.creds", creds(user_jwt, other))
        self.write("revoked.creds", creds(jwt(account, revoked, user_claims), revoked))
        self.write("expired.creds",
                   creds(jwt(account, user, user_claims, exp=int(time.time()) - 5), user))
        self.write("half.creds", creds(user_jwt, user).split("\n\n")[0] + "\n")
        self.values["USER_CREDS"] = text.encode(creds(user_jwt, user).encode())

    def short_creds(self, seconds):
        """Credentials that are good for so long from now on."""
        return creds(jwt(self.account, self.user, self.user_claims,
                         exp=int(time.time()) + seconds), self.user)

    # ---- certificates ----

    def path(self, name):
        return os.path.join(self.folder, name)

    def key_and_request(self, name, names):
        config = self.path("ca.conf")
        words = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-config", config, "-keyout", self.path(name + ".key"),
                 "-out", self.path(name + ".csr"), "-subj", "/CN=" + name]
        if names:
            words += ["-addext", "subjectAltName=" + names]
        openssl(*words)

    def authority(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-config", self.path("ca.conf"), "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".pem"), "-subj", "/CN=" + name, "-days", "2",
                "-addext", "basicConstraints=critical,CA:TRUE")

    def certificate(self, name, names, by="ca", since=LONG_AGO, until=FURTHER, more=()):
        self.key_and_request(name, names)
        openssl("ca", "-batch", "-notext", "-config", self.path("ca.conf"),
                "-cert", self.path(by + ".pem"), "-keyfile", self.path(by + ".key"),
                "-in", self.path(name + ".csr"), "-out", self.path(name + ".pem"),
                "-startdate", since, "-enddate", until, *more)

    def make_certificates(self):
        self.write("ca.conf", CA_CONFIG.format(folder=self.folder))
        self.write("index", "")
        here = "DNS:localhost,IP:127.0.0.1"
        self.authority("ca")
        self.authority("stranger")
        self.certificate("good", here)
        self.certificate("name-only", "DNS:localhost")
        self.certificate("localhost", None)  # a common name alone, which counts no more
        self.certificate("elsewhere", "DNS:elsewhere.example,IP:192.0.2.1")
        self.certificate("expired", here, until=PAST)
        self.certificate("early", here, since=FAR_OFF)
        self.certificate("unknown", here, by="stranger")
        self.certificate("client", "DNS:client.example")
        self.certificate("wrong-client", "DNS:client.example", by="stranger")
        self.write("middle.ext", "basicConstraints=critical,CA:TRUE\n")
        self.certificate("middle", None, more=("-extfile", self.path("middle.ext")))
        self.certificate("gap", here, by="middle")
        shutil.copy(self.path("gap.key"), self.path("chain.key"))
        self.write("chain.pem", self.read("gap.pem") + self.read("middle.pem"))
        self.self_signed("self", here)
        self.values["CA_TEXT"] = text.encode(self.read("ca.pem").encode())

    def self_signed(self, name, names):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-config", self.path("ca.conf"), "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".pem"), "-subj", "/CN=" + name, "-days", "2",
                "-addext", "subjectAltName=" + names)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()
