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
"""


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server. Use with `with`."""

    def __init__(self, binary, core=None):
        self.port = _free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._folder = tempfile.TemporaryDirectory()
        config = os.path.join(self._folder.name, "server.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=self.port, store=os.path.join(self._folder.name, "js")))
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
