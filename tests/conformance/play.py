"""Playing one case on one driver, or on one driver for each of its roles."""

import os
import re
import select
import socket
import subprocess
import sys
import time

import fake
import natsd
import nginx
import text

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))

import proxy  # noqa: E402

END_SECONDS = 10.0  # a driver's own end is no part of what its case measures
CUT = 300  # characters of a line that a transcript shows
SPLIT_SECONDS = 0.02  # more time for each way to cut the bytes


class Failed(Exception):
    """The case does not hold; the text says why."""


def queued(pid):
    """Seconds that the threads of a process were ready to run and had no processor, so far; 0 where the system
    does not tell."""
    waited = 0
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="ascii") as file:
                waited += int(file.read().split()[1])
    except OSError:
        return 0.0
    return waited / 1e9


class DriverProcess:
    """A driver at work: command lines in, answers out."""

    def __init__(self, argv, env):
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, **env),
            bufsize=0,
        )
        self.buffer = b""
        self.lines = []
        self.waiting = 0  # commands whose answers were not read yet
        self.held = 0.0  # seconds without a processor, which deadlines were moved by

    def send(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
        except OSError as problem:
            raise Failed("the driver is gone: %s" % self.last_words()) from problem

    def answer(self, deadline):
        """The lines of the next answer."""
        lines = []
        while True:
            at = self.buffer.find(b"\n")
            if at < 0:
                self.read(deadline)
                continue
            line = self.buffer[:at].decode("ascii", "backslashreplace")
            self.buffer = self.buffer[at + 1 :]
            if line == ".":
                return lines
            lines.append(line)

    def read(self, deadline):
        while not self.readable(deadline - time.monotonic()):
            held = queued(self.process.pid)
            if held <= self.held + 0.01:
                raise Failed("no answer in time")
            deadline = max(deadline, time.monotonic()) + held - self.held
            self.held = held
        data = os.read(self.process.stdout.fileno(), 1 << 20)
        if not data:
            raise Failed("the driver ended before its answer: %s" % self.last_words())
        self.buffer += data

    def readable(self, seconds):
        return select.select([self.process.stdout], [], [], max(seconds, 0))[0]

    def last_words(self):
        self.process.kill()
        _, error = self.process.communicate()
        code = self.process.returncode
        return "exit status %d\n%s" % (code, error.decode("utf-8", "replace")[-4000:])

    def end(self, deadline):
        """Let it end by itself; it must do so with exit status 0."""
        left = max(deadline - time.monotonic(), END_SECONDS)
        try:
            out, error = self.process.communicate(timeout=left)
        except subprocess.TimeoutExpired as problem:
            raise Failed("the driver does not end: %s" % self.last_words()) from problem
        out = self.buffer + out
        if out.strip():
            raise Failed("the driver printed after its last answer: %r" % out[-200:])
        if self.process.returncode != 0:
            raise Failed(
                "the driver's exit status is %d\n%s"
                % (self.process.returncode, error.decode("utf-8", "replace")[-4000:])
            )

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def closed_port():
    """A port on which nothing listens, and the socket that keeps it so."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


def cut(line):
    return line if len(line) <= CUT else "%s… (%d characters)" % (line[:CUT], len(line))


class Play:
    """One case with its drivers and servers."""

    count = 0

    def __init__(self, case, launchers, servers, version, patience=1.0, nginx_program=None):
        Play.count += 1
        self.patience = patience  # how many times slower the drivers may be: sanitizers, valgrind
        self.case = case
        self.nginx = nginx_program
        self.launchers = launchers  # role -> (argv, env)
        self.servers = servers
        self.transcript = []
        self.captures = {}
        self.real = {}
        self.fakes = {}
        self.proxies = {}
        self.nginxes = {}
        self.drivers = {}
        self.deadline = 0.0
        self.variables = {
            "ID": "%dx%d" % (os.getpid(), Play.count),
            "HOST": "127.0.0.1",
            "VERSION": version,
        }
        self.variables.update(case.row)

    def say(self, mark, line):
        self.transcript.append("%-4s%s" % (mark, cut(line)))

    def run(self):
        """None when the case holds, else why not."""
        holder, port = closed_port()
        self.variables["DEAD"] = str(port)
        self.deadline = time.monotonic() + self.case.timeout * self.patience
        try:
            self.start_servers()
            self.start_drivers()
            if self.case.splits:
                self.play_splits()
            else:
                self.play_steps(None)
            self.end_drivers()
            self.end_fakes()
        except Failed as problem:
            return str(problem)
        finally:
            holder.close()
            self.clean()
        return None

    # ---- around the steps ----

    def start_servers(self):
        if self.case.wants_keys():
            self.variables.update(natsd.run_keys().values)
        for name, (config, private) in self.case.servers.items():
            config = text.substitute(config, self.variables)
            self.real[name] = self.servers.get(config, private)
            self.name_port(name, self.real[name].port)
            self.name_ws_port(name, self.real[name].ws_port)
        for name in self.case.scripts:
            self.fakes[name] = fake.FakeServer(self.captures)
            self.name_port(name, self.fakes[name].port)
        for name, server in self.fakes.items():
            server.read(self.case.scripts[name], self.variables)
            server.start()
        for name, target in self.case.proxies.items():
            behind = self.real.get(target) or self.fakes[target]
            self.proxies[name] = proxy.Proxy(behind.port)
            self.name_port(name, self.proxies[name].port)

        for name, target in self.case.nginxes.items():
            self.nginxes[name] = nginx.Nginx(self.nginx, self.real[target].ws_port)
            self.nginxes[name].start()
            self.variables["PORT_" + name] = str(self.nginxes[name].port)
            self.variables["TLS_PORT_" + name] = str(self.nginxes[name].tls_port)

    def name_ws_port(self, name, port):
        if port is not None:
            suffix = "" if name == "server" else "_" + name
            self.variables["WS_PORT" + suffix] = str(port)

    def name_port(self, name, port):
        suffix = "" if name == "server" else "_" + name
        self.variables["PORT" + suffix] = str(port)
        self.variables["URL" + suffix] = "nats://127.0.0.1:%d" % port

    def start_drivers(self):
        for role, (argv, env) in self.launchers.items():
            extra = {k: text.substitute(v, self.variables) for k, v in self.case.env.items()}
            self.drivers[role] = DriverProcess(argv, dict(env, **extra))

    def end_drivers(self):
        for driver in self.drivers.values():
            driver.end(self.deadline)

    def end_fakes(self):
        errors = []
        for server in self.fakes.values():
            errors += server.finish()
        if errors:
            raise Failed("\n".join(errors))

    def clean(self):
        for driver in self.drivers.values():
            driver.kill()
        for link in self.proxies.values():
            link.close()
        for server in self.nginxes.values():
            server.end()
        for name, server in self.fakes.items():
            server.finish()
            self.transcript += ["    [%s] %s" % (name, line) for line in server.log[:40]]
        for name, server in self.real.items():
            if name not in self.case.servers or self.case.servers[name][1]:
                server.end()

    # ---- the steps ----

    def play_steps(self, splitter):
        for step in self.case.steps:
            self.step(step, splitter)

    def step(self, step, splitter):
        try:
            render = text.escape if step.kind == "directive" else text.encode
            words = text.substitute(step.text, self.variables, render)
        except ValueError as problem:
            raise Failed("line %d: %s" % (step.number, problem)) from problem
        if step.kind == "directive":
            self.directive(words)
            return
        driver = self.drivers[step.role]
        mark = "" if len(self.drivers) == 1 else "@" + step.role
        line = " ".join(text.split(text.fill(words, self.captures)))
        if step.kind == "start":
            self.say(mark + "&", line)
            driver.send(line)
            return
        while True:
            lines = self.ask(driver, step, line, mark, splitter)
            reason = self.compare(step, lines)
            if reason is None:
                return
            if not step.until or time.monotonic() > self.deadline:
                raise Failed("line %d: %s" % (step.number, cut(reason)))
            time.sleep(0.01)

    def ask(self, driver, step, line, mark, splitter):
        if step.kind == "await":
            self.say(mark, "await")
        else:
            self.say(mark + ">", line)
            if splitter and line.startswith("proto_feed "):
                line = self.feed_pieces(driver, line, splitter)
            driver.send(line)
        lines = driver.answer(self.deadline)
        for got in lines:
            self.say("<", got)
        return lines

    def compare(self, step, lines):
        if not step.expected:
            if len(lines) == 1 and lines[0].split()[0] == "ok":
                return None
            return "expected `ok`, got `%s`" % "` `".join(lines)
        try:
            wanted = [(free, text.substitute(w, self.variables)) for free, w in step.expected]
        except ValueError as problem:
            raise Failed("line %d: %s" % (step.number, problem)) from problem
        return text.match_answer(wanted, lines, self.captures)

    # ---- every way to cut the bytes ----

    def play_splits(self):
        total = sum(len(self.feed_bytes(step)) for step in self.case.steps if self.is_feed(step))
        self.deadline += SPLIT_SECONDS * total
        for splitter in ["bytes"] + list(range(1, total)) + ["whole"]:
            self.transcript.clear()
            self.captures.clear()
            self.say("", "[the bytes cut: %s]" % splitter)
            self.fed = 0
            self.play_steps(splitter)
            driver = self.drivers["a"]
            driver.send("reset")
            driver.answer(self.deadline)

    @staticmethod
    def is_feed(step):
        return step.kind == "command" and step.text.startswith("proto_feed ")

    def feed_bytes(self, step):
        return text.decode(text.split(text.substitute(step.text, self.variables))[2])

    def feed_pieces(self, driver, line, splitter):
        """Send all pieces but the last; returns the command for the last one."""
        verb, handle, data = line.split()
        data = text.decode(data)
        if splitter == "bytes":
            pieces = [data[i : i + 1] for i in range(len(data))] or [b""]
        else:
            at = splitter - self.fed if splitter != "whole" else 0
            pieces = [data[:at], data[at:]] if 0 < at < len(data) else [data]
        self.fed += len(data)
        for piece in pieces[:-1]:
            driver.send("%s %s %s" % (verb, handle, text.encode(piece)))
            answer = driver.answer(self.deadline)
            if answer != ["ok"]:
                raise Failed("a piece of `%s` was answered `%s`" % (cut(line), "` `".join(answer)))
        return "%s %s %s" % (verb, handle, text.encode(pieces[-1]))

    # ---- what the runner itself does ----

    def directive(self, words):
        self.say("!", words)
        verb, _, rest = words.partition(" ")
        if verb == "sleep":
            time.sleep(int(rest) / 1000)
        elif verb == "check":
            self.check(rest)
        elif verb == "let":
            name, _, listener = rest.partition(" ")
            self.fakes[listener or "server"].gate(name).set()
        elif verb == "proxy":
            name, _, command = rest.partition(" ")
            self.proxies[name].command(command)
        elif verb == "raw":
            self.raw(text.unescape(rest))
        else:
            self.server_verb(verb, rest or "server")

    def server_verb(self, verb, name):
        server = self.real[name]
        if not self.case.servers[name][1]:
            raise Failed("`! %s` needs a private server" % verb)
        if verb == "kill":
            server.kill()
        elif verb == "start":
            server.start()
        elif verb in natsd.SIGNALS:
            server.signal(natsd.SIGNALS[verb])
        else:
            raise Failed("unknown directive `%s`" % verb)

    def check(self, words):
        """Whole numbers with + and -, compared by =, < or >."""
        filled = text.fill(words, self.captures)
        found = re.match(r"^([-+\d ]+)(=|<|>)([-+\d ]+)$", filled)
        if not found:
            raise Failed("cannot check `%s`" % filled)
        left, right = (
            sum(int(n.replace(" ", "")) for n in re.findall(r"[-+]? *\d+", side))
            for side in (found.group(1), found.group(3))
        )
        holds = {"=": left == right, "<": left < right, ">": left > right}[found.group(2)]
        if not holds:
            raise Failed("`%s` does not hold: %s" % (words, filled))

    def raw(self, data):
        """Send bytes as a client of our own, whom no library keeps from sending nonsense."""
        connect = b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"protocol":1}\r\n'
        with socket.create_connection(("127.0.0.1", self.real["server"].port), 5) as link:
            link.settimeout(5)
            link.sendall(connect + data + b"PING\r\n")
            got = b""
            while b"PONG\r\n" not in got:
                more = link.recv(65536)
                if not more:
                    raise Failed("the server refused the raw bytes: %r" % got[-200:])
                got += more
            if b"-ERR" in got:
                raise Failed("the server said %r" % got[-200:])


def hello(argv, env, seconds=10.0):
    """The verbs of a driver."""
    driver = DriverProcess(argv, env)
    try:
        driver.send("hello")
        lines = driver.answer(time.monotonic() + seconds)
        driver.end(time.monotonic() + seconds)
    finally:
        driver.kill()
    if len(lines) != 1 or not lines[0].startswith("ok "):
        raise Failed("hello was answered `%s`" % "` `".join(lines))
    return set(lines[0].split()[1:])
