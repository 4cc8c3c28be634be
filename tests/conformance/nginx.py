"""nginx as a reverse proxy in front of a server's WebSocket port: in the foreground, from a folder of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

import natsd

START_SECONDS = 10.0
TRIES = 5  # a free port may be taken before nginx listens on it

# One process, which ends when it is killed, and nothing outside of its folder.
CONFIG = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {keys}/good.pem;
        ssl_certificate_key {keys}/good.key;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection;
        location /nats {{
            proxy_pass http://127.0.0.1:{ws_port};
        }}
        location /locked {{
            if ($http_x_key != "hunter2-key") {{ return 401; }}
            proxy_pass http://127.0.0.1:{ws_port};
        }}
        location /moved {{
            return 302 /nats;
        }}
        location / {{
            return 404;
        }}
    }}
}}
"""


def find_program(tools):
    """Installed, or unpacked by script/bootstrap; None when it is neither."""
    unpacked = os.path.join(tools, "nginx", "usr", "sbin", "nginx")
    for candidate in (shutil.which("nginx"), "/usr/sbin/nginx", unpacked):
        if candidate and os.path.exists(candidate):
            return candidate
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """One nginx; /nats, and /locked for who has the key, lead to ws_port."""

    def __init__(self, program, ws_port):
        if program is None:
            raise RuntimeError("there is no nginx: script/bootstrap")
        self.program = program
        self.ws_port = ws_port
        self.folder = tempfile.mkdtemp(prefix="conformance-nginx-")
        self.process = None
        self.port = None
        self.tls_port = None

    def start(self):
        for _ in range(TRIES):
            self.launch()
            if self.wait():
                return
            self.kill()
        problem = self.errors()
        self.end()
        raise RuntimeError("nginx did not start: %s" % problem)

    def launch(self):
        self.port, self.tls_port = free_port(), free_port()
        path = os.path.join(self.folder, "conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder, port=self.port, tls_port=self.tls_port,
                                     ws_port=self.ws_port, keys=natsd.run_keys().folder))
        command = [self.program, "-p", self.folder, "-c", path, "-e",
                   os.path.join(self.folder, "error")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self):
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), timeout=1.0).close()
                return True
            except OSError:
                time.sleep(0.01)
        return False

    def errors(self):
        path = os.path.join(self.folder, "error")
        if not os.path.exists(path):
            return "no log"
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()[-1000:]

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
