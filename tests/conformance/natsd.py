"""Real servers: start, stop, kill, and the port they listen on."""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import callout
import keys
import rawlink

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS = 60.0  # a million messages on a busy machine take many to be restored
STOP_SECONDS = 2.0
CLUSTER_SECONDS = 60.0  # until there is a leader, and all are known to it

# What cases call the signals that servers know.
SIGNALS = {"stop": signal.SIGSTOP, "cont": signal.SIGCONT, "lameduck": signal.SIGUSR2}


def version_of(binary):
    """(text, tuple) of a nats-server program's version."""
    out = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    text = re.search(r"(\d+\.\d+\.\d+)", out.stdout + out.stderr).group(1)
    return text, tuple(int(part) for part in text.split("."))


_keys = []
_keys_lock = threading.Lock()


def run_keys():
    """The keys of this run, made when they are first wanted."""
    with _keys_lock:
        if not _keys:
            _keys.append(keys.Keys())
            atexit.register(_keys[0].end)
        return _keys[0]


def read_config(name):
    """The text of servers/NAME.conf; of NAME:WORD, with WORD for @WORD@."""
    name, _, word = name.partition(":")
    with open(os.path.join(HERE, "servers", name + ".conf"), encoding="utf-8") as file:
        return file.read().replace("@WORD@", word)


WS_PORT = "@WS_PORT@"  # in a configuration: of its own choice at first, then the same again
STORE = "@STORE@"  # where JetStream keeps what it stores: it is there again after a restart


def wants_keys(name):
    words = read_config(name).replace(WS_PORT, "").replace(STORE, "")
    return "@" in re.sub(r"#.*|\w@", "", words)


class Server:
    """One nats-server process on a loopback port of its own."""

    def __init__(self, binary, config):
        self.binary = binary
        self.config = config
        self.folder = tempfile.mkdtemp(prefix="conformance-natsd-")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        self.port = None
        self.ws_port = None  # of WebSocket, where the configuration has it
        self.silent = False  # it says nothing before TLS

    def start(self):
        command = [self.binary, "-a", "127.0.0.1", "-l", self.log]
        command += ["-c", self.write_config()]
        if self.port is None:
            command += ["-p", "-1", "--ports_file_dir", self.folder]
        else:
            command += ["-p", str(self.port)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("nats-server %s did not start: %s" % (self.config, self.tail()))
            time.sleep(0.01)
        if callout.wanted(read_config(self.config)):
            callout.Callout(self.port, run_keys().issuer, keys.jwt)

    def write_config(self):
        words = read_config(self.config).replace(WS_PORT, str(self.ws_port or -1))
        words = words.replace(STORE, os.path.join(self.folder, "store"))
        if wants_keys(self.config):
            words = run_keys().substitute(words)
        self.silent = "handshake_first" in words
        path = os.path.join(self.folder, "server.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(words)
        return path

    def ready(self):
        if self.port is None:
            self.read_ports()
        if self.port is None:
            return False
        try:
            if self.ws_port is not None:
                socket.create_connection(("127.0.0.1", self.ws_port), timeout=1.0).close()
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as link:
                return self.silent or link.recv(4) == b"INFO"
        except OSError:
            return False

    def read_ports(self):
        for name in os.listdir(self.folder):
            if not name.endswith(".ports"):
                continue
            try:
                with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                    urls = json.load(file)
                port = int(urls["nats"][0].rsplit(":", 1)[1])
            except (ValueError, KeyError, IndexError):
                return  # still being written
            if "websocket" in urls:
                self.ws_port = int(urls["websocket"][0].rsplit(":", 1)[1])
            self.port = port

    def tail(self):
        if not os.path.exists(self.log):
            return "no log"
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def signal(self, number):
        os.kill(self.process.pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while number == signal.SIGSTOP and self.runs() and time.monotonic() < deadline:
            time.sleep(0.002)

    def runs(self):
        """Is any of its threads not stopped yet? The signal takes a while to reach them all."""
        tasks = "/proc/%d/task" % self.process.pid
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "stat"), encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] not in "TtZX":
                    return True
        return False

    def kill(self):
        """As kill -9 does it."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_ports(count):
    """Ports that nobody has just now, on which a server may listen again and again."""
    holders = [socket.socket() for _ in range(count)]
    for holder in holders:
        holder.bind(("127.0.0.1", 0))
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports


class Node(Server):
    """One server of a cluster."""

    def __init__(self, binary, name, port, route, routes):
        super().__init__(binary, "cluster")
        self.name = name
        self.port = port
        self.words = {
            "@NAME@": name, "@ROUTE@": str(route), STORE: os.path.join(self.folder, "store"),
            "@ROUTES@": ", ".join('"nats://127.0.0.1:%d"' % one for one in routes if one != route),
        }

    def write_config(self):
        words = read_config(self.config)
        for place, value in self.words.items():
            words = words.replace(place, value)
        path = os.path.join(self.folder, "server.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(words)
        return path


class Cluster:
    """Three servers with JetStream: n1, n2 and n3. It has begun when it can make a stream of three replicas."""

    NODES = 3

    def __init__(self, binary):
        ports = free_ports(2 * self.NODES)
        routes = ports[self.NODES :]
        self.nodes = [
            Node(binary, "n%d" % (at + 1), ports[at], routes[at], routes)
            for at in range(self.NODES)
        ]

    def start(self):
        try:
            threads = [threading.Thread(target=node.start) for node in self.nodes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            with rawlink.Link(self.nodes[0].port) as link:
                self.wait_until_it_serves(link)
        except BaseException:
            self.end()
            raise

    @staticmethod
    def wait_until_it_serves(link):
        deadline = time.monotonic() + CLUSTER_SECONDS
        answer = {}
        while "config" not in answer:
            if time.monotonic() > deadline:
                raise RuntimeError("the cluster makes no stream: %s" % answer)
            answer = link.api("STREAM.CREATE.PROBE", 0.5, name="PROBE", num_replicas=3)
            time.sleep(0.05)
        link.api("STREAM.DELETE.PROBE")

    def end(self):
        for node in self.nodes:
            node.end()


class Servers:
    """The servers of one worker: shared ones live until the run ends."""

    def __init__(self, binary):
        self.binary = binary
        self.shared = {}
        self.cluster = None

    def get(self, config, private):
        if config.partition(":")[0] == "cluster":
            return self.node(config.partition(":")[2] or "n1")
        if private:
            server = Server(self.binary, config)
            server.start()
            return server
        server = self.shared.get(config)
        if server is None or server.process.poll() is not None:
            server = Server(self.binary, config)
            server.start()
            self.shared[config] = server
        return server

    def node(self, name):
        """Of the one cluster that all cases share: none of them may end a node."""
        if self.cluster is None:
            self.cluster = Cluster(self.binary)
            self.cluster.start()
        return next(node for node in self.cluster.nodes if node.name == name)

    def end(self):
        for server in self.shared.values():
            server.end()
        if self.cluster is not None:
            self.cluster.end()
