"""JetStream's verbs for the drivers of Python: written once, for what is awaited and for what is not.

Arguments are native values, and verbs are the nouns' own methods, as a script would write them; what has no method of
its own goes by JetStream.call and JetStream.consume.
"""

import importlib
import inspect
import json
from datetime import datetime

import driver
from driver import decode, decode_text, encode, handles, put, put_msg

values = importlib.import_module(driver.nats.__name__ + (
    "._jetstream_values" if driver.nats.__name__ == "polynats" else ".jetstream_values"))
NS = 1_000_000_000
VERBS = {}


def verb(function):
    VERBS[function.__name__[3:]] = function
    return function


async def settled(value):
    """The value, also of what is to be awaited."""
    return await value if inspect.isawaitable(value) else value


async def listed(found):
    return [one async for one in found] if hasattr(found, "__aiter__") else list(found)


def seconds_of(command, key):
    """As the package takes it: None for -1, and what is wrong stays wrong."""
    ms = command.number(key)
    return None if ms in (None, -1) else ms / 1000


def run_plainly(function):
    """As a function: nothing in it waits by way of a loop."""
    def run(command):
        try:
            function(command).send(None)
        except StopIteration:
            return
        raise driver.Lost("%s wants a loop" % function.__name__)
    return run


# ---- JSON of the cases, as Python's values ----


def to_native(type_name, given):
    """Durations are ns there and seconds here; times are datetimes here, when they are good ones."""
    if not isinstance(given, dict):
        return given
    found = {}
    for name, value in given.items():
        kind, element, of = values._js_key(type_name, name) or (0, 0, "")
        many = kind == values.ARRAY and isinstance(value, list)
        made = [one_native(one, element if many else kind, of)
                for one in (value if many else [value])]
        found[name] = made if many else made[0]
    return found


def one_native(value, kind, of):
    if kind == values.DURATION and isinstance(value, int) and not isinstance(value, bool):
        return value // NS if value % NS == 0 else value / NS
    if kind == values.DURATION and isinstance(value, float):
        return str(value)  # no number of ns: the library is shown it
    if kind == values.TIME and isinstance(value, str) and "." not in value:
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return value
    return to_native(of, value) if isinstance(value, dict) and of else value


def not_json(word):
    raise ValueError(word)


def arguments_of(command, index, type_name):
    """A text when they are no JSON."""
    token = command.words[index + 1] if len(command.words) > index + 1 else None
    if decode(token) in (None, b""):
        return {}
    text = decode_text(token)
    try:
        return to_native(type_name, json.loads(text, parse_constant=not_json))
    except ValueError:
        return text


def plain(value):
    """As JSON has it."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return round(value * NS)
    if isinstance(value, datetime):
        text = value.isoformat()[:-len("+00:00")]
        return (text.rstrip("0") if "." in text else text) + "Z"
    return value


def shown(value):
    value = plain(value)
    if isinstance(value, str):
        return encode(value)
    return encode(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def follow(value, path):
    """config.sources.0.name; # counts. The token for it."""
    for name in path.split("."):
        if name == "#":
            return str(len(value))
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, TypeError, ValueError):
            return "-"
    return shown(value)


def put_paths(answer, paths):
    put("ok", *(follow(answer, decode_text(path)) for path in paths))


# ---- management ----


@verb
async def do_js(command):
    command.keep(1, command.handle(0).jetstream(
        domain=decode_text(command.options.get("domain")),
        prefix=decode_text(command.options.get("prefix")),
        timeout=seconds_of(command, "timeout_ms")))


def stream_of(js, given):
    return js.stream(given.pop("stream"))


def consumer_of(js, given):
    return stream_of(js, given).consumer(given.pop("consumer"))


async def make_stream(js, verb_name, given, more):
    made = await settled(getattr(js, verb_name)(given.pop("config"), **given, **more))
    return made.cached_info


async def make_consumer(js, verb_name, given, more):
    stream = stream_of(js, given)
    made = await settled(getattr(stream, verb_name)(given.pop("config", None), **given, **more))
    return made.cached_info


async def get_message(js, _, given, more):
    stream = stream_of(js, given)
    if "last_by_subj" in given:
        return await settled(stream.get_last(given.pop("last_by_subj"), **given, **more))
    if "next_by_subj" in given:
        return await settled(stream.get_next(given.pop("next_by_subj"), **given, **more))
    return await settled(stream.get(given.pop("seq"), **given, **more))


async def purge_stream(js, _, given, more):
    return {"purged": await settled(stream_of(js, given).purge(**given, **more))}


async def delete_message(js, _, given, more):
    erase = not given.pop("no_erase", False)
    return await settled(stream_of(js, given).delete_message(erase=erase, **given, **more))


async def seal_stream(js, _, given, more):
    stream = stream_of(js, given)
    await settled(stream.seal(**more))
    return stream.cached_info


async def change_stream(js, _, given, more):
    return await settled(stream_of(js, given).update(given.pop("config"), **given, **more))


async def pause_consumer(js, _, given, more):
    return await settled(consumer_of(js, given).pause(given.pop("pause_until"), **more))


def of_stream(method):
    async def run(js, _, given, more):
        return await settled(getattr(stream_of(js, given), method)(**given, **more))
    return run


def of_consumer(method):
    async def run(js, _, given, more):
        return await settled(getattr(consumer_of(js, given), method)(**given, **more))
    return run


def whole_list(find, member):
    """The iterator's, as the answer would have them on one page."""
    async def run(js, _, given, more):
        found = await listed(find(js, given)(**given))
        found = [getattr(one, "cached_info", one) for one in found]
        return {member: found, "total": len(found), "offset": 0}
    return run


async def account_info(js, _, given, more):
    return await settled(js.account_info(**more))


# verb: who does it, the arguments that its method has, those that it must have
METHODS = {
    "account_info": (account_info, (), ()),
    "delete_stream": (of_stream("delete"), ("stream",), ("stream",)),
    "stream_info": (of_stream("info"), ("stream", "subjects_filter", "deleted_details"),
                    ("stream",)),
    "purge_stream": (purge_stream, ("stream", "subject", "seq", "keep"), ("stream",)),
    "get_message": (get_message, ("stream", "seq", "last_by_subj", "next_by_subj", "no_hdr",
                                  "direct"), ("stream",)),
    "delete_message": (delete_message, ("stream", "seq", "no_erase"), ("stream", "seq")),
    "seal_stream": (seal_stream, ("stream",), ("stream",)),
    "change_stream": (change_stream, ("stream", "config", "pedantic"), ("stream", "config")),
    "stream_leader_stepdown": (of_stream("leader_stepdown"), ("stream", "placement"), ("stream",)),
    "stream_peer_remove": (of_stream("peer_remove"), ("stream", "peer"), ("stream", "peer")),
    "delete_consumer": (of_consumer("delete"), ("stream", "consumer"), ("stream", "consumer")),
    "consumer_info": (of_consumer("info"), ("stream", "consumer"), ("stream", "consumer")),
    "pause_consumer": (pause_consumer, ("stream", "consumer", "pause_until"),
                       ("stream", "consumer", "pause_until")),
    "resume_consumer": (of_consumer("resume"), ("stream", "consumer"), ("stream", "consumer")),
    "reset_consumer": (of_consumer("reset"), ("stream", "consumer", "seq"), ("stream", "consumer")),
    "unpin_consumer": (of_consumer("unpin"), ("stream", "consumer", "group"),
                       ("stream", "consumer", "group")),
    "consumer_leader_stepdown": (of_consumer("leader_stepdown"),
                                 ("stream", "consumer", "placement"), ("stream", "consumer")),
    "streams": (whole_list(lambda js, _: js.streams, "streams"), ("subject",), ()),
    "stream_names": (whole_list(lambda js, _: js.stream_names, "streams"), ("subject",), ()),
    "consumers": (whole_list(lambda js, given: stream_of(js, given).consumers, "consumers"),
                  ("stream",), ("stream",)),
    "consumer_names": (whole_list(lambda js, given: stream_of(js, given).consumer_names,
                                  "consumers"), ("stream",), ("stream",)),
}
for name in ("create", "update", "create_or_update", "get_or_create"):
    METHODS[name + "_stream"] = (make_stream, ("config", "pedantic"), ("config",))
    METHODS[name + "_consumer"] = (make_consumer, ("stream", "config", "pedantic"), ("stream",))
WITHOUT_ANSWER = ("delete_stream", "delete_message", "delete_consumer", "unpin_consumer",
                  "stream_leader_stepdown", "stream_peer_remove", "consumer_leader_stepdown")


def method_for(name, given, paths):
    """Whoever has a method for just this; None: it goes by JetStream.call."""
    function, known, wanted = METHODS.get(name, (None, (), ()))
    fits = (isinstance(given, dict) and set(given) <= set(known) and set(wanted) <= set(given)
            and not (paths and name in WITHOUT_ANSWER))
    if name == "get_message" and fits:
        fits = len({"seq", "last_by_subj", "next_by_subj"} & set(given)) == 1
    if "_stream" in name and "config" in known and fits:
        fits = isinstance(given["config"], dict)
    return function if fits else None


@verb
async def do_js_call(command):
    js, name, paths = command.handle(0), command.word(1), command.rest(3)
    given = arguments_of(command, 2, name)
    more = {"timeout": seconds_of(command, "timeout_ms")}
    function = method_for(name, given, paths)
    if function is not None and not name.endswith(("streams", "names", "consumers")):
        answer = await function(js, name, dict(given), more)
    elif function is not None:
        answer = await function(js, name, dict(given), {})
    else:
        answer = await settled(js.call(name, given, **more))
    if hasattr(answer, "subject"):
        driver.put_one(command, answer)
    else:
        put_paths(answer, paths)


@verb
async def do_js_call_start(command):
    given = arguments_of(command, 3, command.word(2))
    command.keep(1, await settled(command.handle(0).call_start(
        command.word(2), given, seconds_of(command, "timeout_ms"))))


@verb
async def do_js_call_wait(command):
    answer = await settled(command.handle(0).wait(seconds_of(command, "wait_ms")))
    if hasattr(answer, "subject"):
        driver.put_one(command, answer)
    else:
        put_paths(answer, command.rest(1))


@verb
async def do_js_get_many(command):
    given = arguments_of(command, 1, "get_messages")
    found = stream_of(command.handle(0), given).get_many(
        **given, timeout=seconds_of(command, "timeout_ms"))
    if hasattr(found, "__aiter__"):
        async for msg in found:
            put_msg(msg)
    else:
        for msg in found:
            put_msg(msg)
    put("ok")


# ---- publish ----

ACK_FIELDS = {"val": "value"}


def keywords_of(command):
    known = [name for name, _ in values._js_keywords()]
    return {name: decode_text(command.options[name]) for name in known if name in command.options}


def put_ack(ack, fields):
    if not fields:
        put("ok", encode(ack.stream), ack.seq, int(ack.duplicate))
        return
    found = (getattr(ack, ACK_FIELDS.get(name, name)) for name in fields)
    put("ok", *(encode(None if one is None else str(int(one) if isinstance(one, bool) else one))
                for one in found))


def storing(command, index):
    """Arguments of what publishes: the subject is word `index`."""
    return ([command.text(index), command.data(index + 1)],
            {"headers": command.headers(), **keywords_of(command)})


def storing_in_time(command, index):
    words, more = storing(command, index)
    return words, {"timeout": seconds_of(command, "timeout_ms"), **more}


@verb
async def do_js_publish(command):
    words, more = storing_in_time(command, 1)
    put_ack(await settled(command.handle(0).publish(*words, **more)), command.rest(3))


@verb
async def do_js_publish_start(command):
    words, more = storing_in_time(command, 2)
    command.keep(1, await settled(command.handle(0).publish_start(*words, **more)))


@verb
async def do_js_wait(command):
    ack = await settled(command.handle(0).wait(seconds_of(command, "wait_ms")))
    if ack is None:
        put("none")
    else:
        put_ack(ack, command.rest(1))


@verb
async def do_js_publisher(command):
    js, most = command.handle(0), command.number("max")
    made = js.fast_publisher(most) if "fast" in command.options else js.publisher(most)
    command.keep(1, await settled(made))


@verb
async def do_js_pub(command):
    words, more = storing(command, 1)
    put("ok", await settled(command.handle(0).publish(*words, **more)))


@verb
async def do_js_pub_many(command):
    payloads = [decode(word) for word in command.rest(2)]
    try:
        first = await settled(command.handle(0).publish_many(command.text(1), payloads))
    except driver.nats.Error as problem:
        driver.note(problem)
        driver.put_error(problem)
        put("ok", problem.first, problem.published)
        return
    put("ok", first, len(payloads))


@verb
async def do_js_publish_many(command):
    payloads = [decode(word) for word in command.rest(2)]
    try:
        count = await settled(command.handle(0).publish_many(
            command.text(1), payloads, timeout=seconds_of(command, "timeout_ms")))
    except driver.nats.Error as problem:
        driver.note(problem)
        driver.put_error(problem)
        for place, failure in problem.failures:
            put("failure", place, *driver.error_words(failure))
        put("ok", problem.published)
        return
    put("ok", count)


@verb
async def do_js_flush(command):
    await settled(command.handle(0).flush(seconds_of(command, "timeout_ms")))
    put("ok")


@verb
async def do_js_flush_start(command):
    command.keep(1, await settled(command.handle(0).flush_start(seconds_of(command, "timeout_ms"))))


@verb
async def do_js_failures(command):
    found = command.handle(0).failures()
    for number, problem in found:
        put("failure", number, *driver.error_words(problem))
    if not found:
        put("none")


@verb
async def do_js_publisher_stats(command):
    put("ok", *command.handle(0).stats().values())


@verb
async def do_js_batch(command):
    command.keep(1, command.handle(0).batch())


@verb
async def do_js_batch_add(command):
    words, more = storing_in_time(command, 1)
    await settled(command.handle(0).add(*words, **more))
    put("ok")


@verb
async def do_js_batch_add_start(command):
    words, more = storing_in_time(command, 2)
    command.keep(1, await settled(command.handle(0).add_start(*words, **more)))


@verb
async def do_js_batch_commit(command):
    words, more = storing_in_time(command, 1)
    put_ack(await settled(command.handle(0).commit(*words, **more)), command.rest(3))


@verb
async def do_js_batch_commit_start(command):
    words, more = storing_in_time(command, 2)
    command.keep(1, await settled(command.handle(0).commit_start(*words, **more)))


# ---- consume ----


@verb
async def do_js_consume(command):
    given = arguments_of(command, 3, command.word(2))
    command.keep(1, await settled(command.handle(0).consume(
        command.word(2), given, timeout=seconds_of(command, "timeout_ms"))))


@verb
async def do_js_consume_start(command):
    given = arguments_of(command, 4, command.word(3))
    sub, future = await settled(command.handle(0).consume_start(
        command.word(3), given, timeout=seconds_of(command, "timeout_ms")))
    handles[command.word(2)] = future
    command.keep(1, sub)


@verb
async def do_js_consume_wait(command):
    await settled(command.handle(0).wait(seconds_of(command, "wait_ms")))
    put("ok")


@verb
async def do_js_consumer(command):
    stream = command.handle(0).stream(command.text(2))
    command.keep(1, stream.consumer(command.text(3)))


@verb
async def do_js_fetch(command):
    driver.put_list(await settled(command.handle(0).fetch(
        command.number("max"), seconds_of(command, "wait_ms"))))


@verb
async def do_msg_ack(command):
    msg, how = command.handle(1), command.word(2)
    if how == "nak":
        await settled(msg.nak(seconds_of(command, "delay_ms")))
    elif how == "term":
        await settled(msg.term(decode_text(command.options.get("reason"))))
    elif how in ("ack", "in_progress"):
        await settled(getattr(msg, how)())
    else:
        raise TypeError("no such way to acknowledge: %s" % how)
    put("ok")


@verb
async def do_ack_sync(command):
    await settled(command.handle(1).ack_sync(seconds_of(command, "timeout_ms")))
    put("ok")


@verb
async def do_ack_many(command):
    messages = [handles[name] for name in command.rest(1)]
    put("ok", await settled(command.handle(0).ack_many(messages)))


@verb
async def do_msg_meta(command):
    place, line = command.handle(0).metadata, ["ok"]
    if place is None:
        put("none")
        return
    for name in command.rest(1):
        value = getattr(place, name)
        line.append(value if isinstance(value, int) else encode(value or ""))
    put(*line)


# ---- errors ----


@verb
async def do_errcodes(_):
    put("ok", driver.last["err_code"], driver.last["status"])


@verb
async def do_errdescription(_):
    put("ok", driver.encode(driver.last["description"]))
