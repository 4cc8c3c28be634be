"""The one nats-server of a bench run."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time

START_LIMIT_S = 10

# A receiver that is slower than the publisher must not be cut off: what waits for it may grow, and a write may
# take its time. The server still holds back publishers that are far ahead, as it does in production.
CONFIG = """
listen: 127.0.0.1:{port}
max_pending: 268435456
write_deadline: "60s"
jetstream: {{ store_dir: "{store}", max_memory_store: 1GB, max_file_store: 4GB }}
{more}
"""
# What the messages go over: words of the configuration, where {own} is a port besides.
OVER = {
    "nats": "",
    "tls": "tls {{ cert_file: '{folder}/cert.pem', key_file: '{folder}/key.pem' }}",
    "ws": "websocket {{ listen: '127.0.0.1:{own}', no_tls: true }}",
}


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server. Use with `with`."""

    def __init__(self, binary, core=None, over="nats"):
        self.port, own = _free_port(), _free_port()
        self.url = f"{over}://127.0.0.1:{own if over == 'ws' else self.port}"
        self._folder = tempfile.TemporaryDirectory()
        if over == "tls":
            self._certify()
        config = os.path.join(self._folder.name, "server.conf")
        more = OVER[over].format(folder=self._folder.name, own=own)
        with open(config, "w", encoding="utf-8") as file:
            store = os.path.join(self._folder.name, "js")
            file.write(CONFIG.format(port=self.port, store=store, more=more))
        words = [binary, "-c", config, "-l", os.path.join(self._folder.name, "log")]
        if core is not None:
            words = ["taskset", "-c", str(core)] + words
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def _certify(self):
        """A certificate that the programs take for one of the system's."""
        cert = os.path.join(self._folder.name, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout",
                        os.path.join(self._folder.name, "key.pem")],
                       check=True, capture_output=True)
        os.environ["SSL_CERT_FILE"] = cert

    def _wait(self):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    if probe.recv(4) == b"INFO":
                        return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("nats-server did not start")

    def cpu_ns(self):
        """What it has computed so far, all threads."""
        total = 0
        folder = f"/proc/{self._process.pid}/task"
        for thread in os.listdir(folder):
            try:
                with open(f"{folder}/{thread}/schedstat", encoding="ascii") as file:
                    total += int(file.read().split()[0])
            except FileNotFoundError:  # it has ended meanwhile
                pass
        return total

    def close(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def version(binary):
    text = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+\.\d+\.\d+\S*", text)
    return found.group(0) if found else text.strip()
