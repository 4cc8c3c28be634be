"""The conformance driver for Python. It reads command lines, calls the package, prints what came of
it. The line protocol is in ../README.md. It knows no expectation: those are in the cases.

    python3 -m driver [--api polynats_ffi]
"""

import gc
import importlib
import math
import os
import re
import select
import sys

# The package, and the ctypes module, have the same nouns and verbs.
nats = importlib.import_module(sys.argv[2] if sys.argv[1:2] == ["--api"] else "polynats")
handles, clocks = {}, {}  # clocks: of each proto, in ms
hooks = {}  # functions that supply credentials, by name
last = {"text": "", "about": "", "err_code": 0, "status": 0,
        "description": ""}
PLAIN = frozenset(b"!#$&'()*+-./:;<>?@[\\]^_`{|}~" + bytes(range(48, 58)) + bytes(range(65, 91))
                  + bytes(range(97, 123)))


class Lost(Exception):
    """The driver was asked for what it has not."""


# ---- tokens ----


def decode(token):
    """bytes, or None for what is absent."""
    if token is None or token == "-":
        return None
    if token == '""':
        return b""
    return re.sub(rb"%([0-9a-f]{2})", lambda found: bytes([int(found.group(1), 16)]),
                  token.encode())


def decode_text(token):
    """As a script has it: a str, in which bytes that are no UTF-8 are lone surrogates."""
    data = decode(token)
    return data if data is None else data.decode("utf-8", "surrogateescape")


def encode(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if value in (b"", b"-"):
        return "%2d" if value else '""'
    return "".join(chr(byte) if byte in PLAIN else "%%%02x" % byte for byte in value)


class Command:
    """A line: words, and options."""

    def __init__(self, line):
        self.words, self.options = [], {}
        for token in line.split():
            key, equals, value = token.partition("=")
            if equals:
                self.options[key] = value
            else:
                self.words.append(token)

    def word(self, index):
        if index + 1 >= len(self.words):
            raise Lost("too few words: %s" % self.words[0])
        return self.words[index + 1]

    def rest(self, index):
        return self.words[index + 1:]

    def text(self, index):
        return decode_text(self.word(index))

    def data(self, index):
        return decode(self.word(index))

    def handle(self, index):
        if self.word(index) not in handles:
            raise Lost("no such handle: %s" % self.word(index))
        return handles[self.word(index)]

    def keep(self, index, made):
        handles[self.word(index)] = made
        put("ok")

    def number(self, key):
        return int(self.options[key]) if key in self.options else None

    def seconds(self, key, absent=None):
        """A time of the protocol, in ms, as the package takes it."""
        ms = int(self.options.get(key, -1))
        return ms / 1000 if ms >= 0 else absent

    def headers(self):
        """headers=K=v,K=v as pairs, which keep the order."""
        if "headers" not in self.options:
            return None
        pairs = (part.partition("=") for part in self.options["headers"].split(","))
        return [(decode_text(key), decode_text(value) or "") for key, _, value in pairs]

    def given(self):
        """The options of a connection as a script would write them."""
        values = {key: plain_value(value) for key, value in self.options.items() if key != "hook"}
        if "hook" in self.options:
            values["credentials"] = hooks[self.options["hook"]]
        return values

    def servers(self):
        """One text, or a list when the case gives several words."""
        urls = [decode_text(word) for word in self.rest(1)]
        return urls[0] if len(urls) == 1 else urls

    def clock(self):
        return clocks.get(self.word(0), 0) / 1000


def plain_value(token):
    text = decode_text(token)
    if text in ("true", "false"):
        return text == "true"
    if isinstance(text, str) and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if isinstance(text, str) and re.fullmatch(r"-?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


# ---- answers ----


def put(*parts):
    sys.stdout.write(" ".join(map(str, parts)) + "\n")


def put_msg(msg):
    headers = ",".join("%s=%s" % (encode(key), encode(value)) for key, value in msg.header_pairs)
    line = ["msg", encode(msg.subject), encode(msg.reply), headers or "-", encode(msg.data)]
    if msg.status:
        line += [msg.status, encode(msg.description)]
    put(*line)


def put_list(messages):
    for msg in messages:
        put_msg(msg)
    if not messages:
        put("none")


def put_one(command, msg):
    if msg is None:
        put("none")
        return
    put_msg(msg)
    if "as" in command.options:
        handles[command.options["as"]] = msg


def put_fields(command, source, verb="server_info"):
    """The fields of an INFO that the case asks for; of a list the first; json is all of it."""
    info, line = getattr(source, verb)(), ["ok"]
    for name in command.rest(1):
        value = source.server_info_json() if name == "json" else info.get(name)
        if isinstance(value, list):
            value = value[0]
        if isinstance(value, bool):
            value = "true" if value else "false"
        line.append(encode(value if value is None else str(value)))
    put(*line)


EVENT_FIELDS = {
    "code": lambda event: event.code or "OK",
    "kind": lambda event: event.kind or "none",
    "text": lambda event: encode(event.text),
    "level": lambda event: event.level,
    "line": lambda event: encode(event.line),
    "url": lambda event: encode(event.url or ""),
    "subject": lambda event: encode(event.subject or ""),
    "sid": lambda event: event.sid or 0,
    "lost": lambda event: event.lost or 0,
    "unconfirmed": lambda event: event.unconfirmed or 0,
    "recoverable": lambda event: int(event.recoverable or 0),
    "token": lambda event: event.token or 0,
    "rtt_ms": lambda event: math.floor((event.rtt or 0) * 1000 + 0.0005),
}


def put_event(event, fields):
    put("event", event.type, *(EVENT_FIELDS[name](event) for name in fields))


# ---- clients ----


class Hook:
    """Supplies what the case says, and counts how often it was asked."""

    def __init__(self):
        self.values, self.calls = {}, 0

    def __call__(self, nonce):
        self.calls += 1
        return self.values


def do_hook(command):
    hook = hooks.setdefault(command.word(0), Hook())
    hook.values = {key: decode_text(value) for key, value in command.options.items()}
    put("ok")


def do_hook_calls(command):
    put("ok", hooks[command.word(0)].calls)


def do_credentials(command):
    command.handle(0).credentials(
        **{key: decode_text(value) for key, value in command.options.items()})
    put("ok")


def do_connect(command):
    command.keep(0, nats.connect(command.servers(), **command.given()))


def do_share(command):
    command.keep(1, command.handle(0).share())


def do_publish(command):
    command.handle(0).publish(command.text(1), command.data(2), headers=command.headers(),
                              reply=decode_text(command.options.get("reply")))
    put("ok")


def do_publish_many(command):
    payloads = [decode(word) for word in command.rest(2)]
    put("ok", command.handle(0).publish_many(command.text(1), payloads))


def do_respond(command):
    command.handle(1).respond(command.data(2), headers=command.headers())
    put("ok")


def do_subscribe(command):
    command.keep(1, command.handle(0).subscribe(
        command.text(2), queue=decode_text(command.options.get("queue")),
        max=command.number("max"), callback=put_msg if "callback" in command.options else None,
        pending_msgs=command.number("pending_msgs"),
        pending_bytes=command.number("pending_bytes")))


def do_unsubscribe_sid(command):
    command.handle(0).unsubscribe(int(command.word(1)), command.number("after"))
    put("ok")


def do_unsubscribe_subject(command):
    put("ok", command.handle(0).unsubscribe(command.text(1), command.number("after")))


def do_get(command):
    put_list(command.handle(0).get(command.number("max"), command.seconds("wait_ms", 0)))


def do_dispatch(command):
    if not command.handle(0).dispatch(command.number("max"), command.seconds("wait_ms", 0)):
        put("none")


def do_request(command):
    put_one(command, command.handle(0).request(
        command.text(1), command.data(2), command.seconds("timeout_ms"), command.headers()))


def do_request_start(command):
    command.keep(1, command.handle(0).request_start(
        command.text(2), command.data(3), command.seconds("timeout_ms"), command.headers()))


def do_request_many(command):
    replies = command.handle(0).request_many(
        command.text(1), command.data(2), max=command.number("max"),
        stall=command.seconds("stall_ms"), timeout=command.seconds("timeout_ms"),
        sentinel=command.options.get("sentinel") == "1", headers=command.headers())
    for msg in replies:
        put_msg(msg)
    put("ok")


def do_wait(command):
    put_one(command, command.handle(0).wait(command.seconds("wait_ms")))


def do_poll(command):
    msg = command.handle(0).poll()
    if msg is None and not command.handle(0).done():
        put("open")
    else:
        put_one(command, msg)


def do_rtt(command):
    put("ok", int(command.handle(0).rtt(command.seconds("timeout_ms")) * 1e9))


def do_status(command):
    put("ok", command.handle(0).status)


def do_max_payload(command):
    put("ok", command.handle(0).max_payload)


def do_stats(command):
    stats = command.handle(0).stats()
    put("ok", *(stats[name] for name in command.rest(1)))


def do_next_event(command):
    """Takes events until one of the wanted type ("-": any) comes."""
    stop = nats.now() + command.seconds("wait_ms", 0)
    while True:
        left = stop - nats.now()
        event = command.handle(0).next_event(max(left, 0))
        if event is None and left <= 0:
            put("none")
            return
        if event is not None and command.word(1) in ("-", event.type):
            put_event(event, command.rest(2))
            return


def do_deadline(command):
    left = command.handle(0).deadline()
    put("ok", -1 if left is None else round(left * 1000))


def do_wait_fd(command):
    """Does the descriptor become readable in time?"""
    poll = select.poll()
    poll.register(command.handle(0), select.POLLIN)
    put("ok", int(bool(poll.poll(command.number("wait_ms") or 0))))


def code_of(verb, *args, **options):
    try:
        verb(*args, **options)
    except nats.Error as problem:
        return problem.code
    return "OK"


def do_fork_check(command):
    """What a child of fork() is told by the handles it inherited."""
    client, sub = command.handle(0), command.handle(1)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        put("ok", code_of(client.publish, "forked"), code_of(client.flush, 0.1),
            code_of(client.get, 1, 0), code_of(client.request, "forked", timeout=0.1),
            code_of(client.next_event, 0), code_of(sub.next, 0), code_of(sub.unsubscribe),
            code_of(client.drain, 0.1))
        code_of(client.close)
        sys.stdout.flush()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        put("child", status)


# ---- subscriptions and messages ----


def do_next(command):
    put_one(command, command.handle(0).next(command.seconds("wait_ms", 0)))


def do_sub_info(command):
    sub = command.handle(0)
    put("ok", encode(sub.subject), encode(sub.queue), sub.sid, int(sub.active))


def do_sub_stats(command):
    stats = command.handle(0).stats()
    put("ok", *(stats[name] for name in ("pending", "pending_bytes", "delivered", "dropped",
                                         "received")))


def do_iterate(command):
    left = int(command.word(1))
    for msg in command.handle(0):
        put_msg(msg)
        left -= 1
        if not left:
            break
    put("ok")


def do_serve(command):
    """Answer the next n requests, with data or with what was asked."""
    for _ in range(int(command.word(2))):
        msg = command.handle(1).next(command.seconds("wait_ms", 0))
        if msg is None:
            put("none")
            return
        msg.respond(decode(command.options["data"]) if "data" in command.options else msg.data)
    command.handle(0).flush()
    put("ok")


def do_header(command):
    put("ok", encode(command.handle(0).header(command.text(1))))


def do_free(command):
    handles.pop(command.word(0), None)
    gc.collect()
    put("ok")


def do_reset(_):
    handles.clear()
    clocks.clear()
    gc.collect()
    put("ok")


# ---- the protocol without I/O ----


def do_proto_new(command):
    made = nats.proto(command.servers(), b"0123456789abcdef", **command.given())
    clocks[command.word(0)] = 0
    command.keep(0, made)


def do_proto_clock(command):
    clocks[command.word(0)] = int(command.word(1))
    put("ok")


def do_proto_failed(command):
    command.handle(0).transport_failed(command.word(1), command.text(2), command.clock())
    put("ok")


def do_proto_feed(command):
    command.handle(0).feed(command.data(1), command.clock())
    put("ok")


def do_proto_expect_signature(command):
    command.handle(0).expect_signature(command.word(1) == "1")
    put("ok")


def do_proto_sign(command):
    command.handle(0).sign(
        command.data(1), decode_text(command.options.get("public_key")),
        decode_text(command.options.get("jwt")), command.clock())
    put("ok")


def next_proto_event(command, fields):
    event = command.handle(0).next_event()
    if event is None:
        return False
    if event.type == "message":
        put_msg(event.message)
    else:
        put_event(event, fields)
    return True


def do_proto_event(command):
    if not next_proto_event(command, command.rest(1)):
        put("none")


def do_proto_events(command):
    some = False
    while next_proto_event(command, ()):
        some = True
    if not some:
        put("none")


def do_proto_tx(command):
    put("ok", encode(command.handle(0).take(command.number("max"), command.clock())))


def do_proto_deadline(command):
    at = command.handle(0).deadline()
    put("ok", "never" if at is None else math.ceil(at * 1000 - 1e-6))


def do_proto_subscribe(command):
    put("ok", command.handle(0).subscribe(
        command.text(1), decode_text(command.options.get("queue")), command.number("max"),
        command.number("sid")))


def do_proto_unsubscribe(command):
    command.handle(0).unsubscribe(int(command.word(1)), command.number("after"))
    put("ok")


def do_proto_ping(command):
    put("ok", command.handle(0).ping(command.clock()))


def do_proto_server(command):
    proto = command.handle(0)
    put("ok", encode(proto.url), encode(proto.scheme), encode(proto.host), proto.port)


def do_proto_servers(command):
    for server in command.handle(0).servers():
        put("server", encode(server.url), server.attempts, int(server.discovered))


# ---- verbs that say what they are ----


def timed(method):
    def run(command):
        getattr(command.handle(0), method)(command.seconds("timeout_ms"))
        put("ok")
    return run


def plain(method, show=None):
    """The method without arguments: ok, and what show makes of the result."""
    def run(command):
        value = getattr(command.handle(0), method)()
        put(*(["ok"] if show is None else ["ok", show(value)]))
    return run


def attribute(name):
    return lambda command: put("ok", getattr(command.handle(0), name))


def clocked(method):
    def run(command):
        getattr(command.handle(0), method)(command.clock())
        put("ok")
    return run


def with_text(method):
    def run(command):
        getattr(command.handle(0), method)(command.text(1))
        put("ok")
    return run


def judged(function, words):
    return lambda command: put("ok", int(function(*map(command.text, range(words)))))


VERBS = {name[3:]: value for name, value in globals().items() if name.startswith("do_")}
VERBS.update({
    "hello": lambda _: put("ok", *VERBS),
    "close": plain("close"),
    "drain": timed("drain"),
    "flush": timed("flush"),
    "process": plain("process"),
    "reconnect": plain("reconnect"),
    "wake": plain("wake"),
    "new_inbox": plain("new_inbox", encode),
    "server_info": lambda command: put_fields(command, command.handle(0)),
    "info": lambda command: put_fields(command, command.handle(0), "info"),
    "future_done": plain("done", int),
    "cancel": plain("cancel"),
    "errtext": lambda _: put("ok", encode(last["text"])),
    "errabout": lambda _: put("ok", encode(last["about"])),
    "sub_get": do_get,
    "unsubscribe": lambda command: (command.handle(0).unsubscribe(command.number("after")),
                                    put("ok")),
    "sub_drain": timed("drain"),
    "subject_valid": judged(nats.subject.valid, 1),
    "subject_valid_pattern": judged(nats.subject.valid_pattern, 1),
    "subject_matches": judged(nats.subject.matches, 2),
    "options": lambda _: put("ok", *(name for name, _, _ in nats.options())),
    "proto_start": clocked("start"),
    "proto_up": clocked("transport_up"),
    "proto_upgraded": clocked("upgraded"),
    "proto_secured": clocked("secured"),
    "proto_eof": clocked("feed_eof"),
    "proto_reconnect": clocked("reconnect"),
    "proto_tick": clocked("tick"),
    "proto_publish": do_publish,
    "proto_close": plain("close"),
    "proto_pending": attribute("pending"),
    "proto_state": attribute("state"),
    "proto_pings_out": attribute("pings_out"),
    "proto_offset": attribute("offset"),
    "proto_server_add": with_text("server_add"),
    "proto_server_remove": with_text("server_remove"),
    "proto_info": lambda command: put_fields(command, command.handle(0)),
    "proto_new_inbox": plain("new_inbox", encode),
})


def error_words(problem):
    """The server's own number is behind the code."""
    return ["err", problem.code] + ([problem.err_code] if problem.err_code else [])


def put_error(problem):
    put(*error_words(problem))


def note(problem):
    """For errtext and its like."""
    last.update(text=str(problem), about=problem.about, err_code=problem.err_code,
                status=problem.status, description=problem.description)


def note_misuse(problem):
    """The texts of such begin with the argument's name."""
    last.update(text=str(problem), about=str(problem).split()[0], err_code=0, status=0,
                description="")


def run(command):
    """What the package raises for misuse is what the C library calls INVALID."""
    if command.words[0] not in VERBS:
        raise Lost("no such verb: %s" % command.words[0])
    try:
        VERBS[command.words[0]](command)
    except nats.Error as problem:
        note(problem)
        put_error(problem)
    except TypeError as problem:
        note_misuse(problem)
        put("err", "INVALID")


def main():
    for line in sys.stdin:
        command = Command(line)
        if not command.words:
            continue
        try:
            run(command)
        except Lost as problem:
            sys.exit("driver: %s" % problem)
        sys.stdout.write(".\n")
        sys.stdout.flush()


jetstream_verbs = {}  # of driver_js.py, awaited


def add_jetstream():
    """Here, for it stands on this module: under its own name, also when it is the program."""
    sys.modules.setdefault("driver", sys.modules[__name__])
    import driver_js

    jetstream_verbs.update(driver_js.VERBS)
    VERBS.update((name, driver_js.run_plainly(function))
                 for name, function in jetstream_verbs.items())


add_jetstream()
if __name__ == "__main__":
    main()
