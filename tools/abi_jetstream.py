"""The tables of docs/jetstream.md, from libnats/jetstream/verbs.def and keys.def, and what editors know of them; see
tools/abi.py."""

import os
import re

PAGE = os.path.join("docs", "jetstream.md")
VERBS = os.path.join("libnats", "jetstream", "verbs.def")
KEYS = os.path.join("libnats", "jetstream", "keys.def")
KEYWORDS = os.path.join("libnats", "jetstream", "keywords.def")
ANNOTATIONS = os.path.join("lua", "nats.jetstream.meta.lua")
BEGIN = "<!-- verbs: written by tools/abi.py from libnats/jetstream/verbs.def -->\n"
END = "<!-- end of verbs -->\n"

VERB = re.compile(
    r'^VERB\((\w+), "([^"]*)", (\w+), (\w+), (\d), "([^"]*)", "([^"]*)"\)$', re.M)
KEY = re.compile(r'^KEY\((\w+), (\w+), (\w+), "([^"]*)", (\d), "([^"]*)", "([^"]*)"\)$', re.M)
KEYWORD = re.compile(r'^KEYWORD\((\w+), "([^"]*)", \w+, \w+, (\d)\)$', re.M)
LEVELS = {"0": "", "1": "2.11", "2": "2.12", "4": "2.14", "5": "2.15"}  # and the servers that brought them
MUST = re.compile(r"^MUST\((\w+), (\w+)\)$", re.M)
PAIR = re.compile(r"^(NOT_BOTH|NEEDS)\((\w+), (\w+), (\w+)\)$", re.M)
FIRST = "2.2"  # the server that JetStream came with: not worth a word

# What the types of values are called.
KINDS = {
    "TEXT": "text", "NAME": "name", "SUBJECT": "subject", "PATTERN": "subject, wildcards allowed",
    "INT": "whole number", "UINT": "whole number, 0 or more", "BOOL": "true or false",
    "DURATION": "duration", "TIME": "time", "TEXTS": "list of texts", "NAMES": "list of names",
    "PATTERNS": "list of subjects", "DURATIONS": "list of durations", "MAP": "map of texts",
}

# Classes of the annotations: the object whose keys they have, without those that the method says itself, and the names
# that are the module's own.
PLACE = {"stream", "consumer", "config"}
CLASSES = {
    "StreamConfig": ("stream_config", set(), set()),
    "ConsumerConfig": ("consumer_config", set(), set()),
    "OrderedConfig": ("ordered_config", set(), set()),
    "FetchOptions": ("fetch", PLACE | {"max_messages", "expires", "mode"}, {"max", "wait"}),
    "ConsumeOptions": ("consume", PLACE, {"callback", "timeout"}),
    "GetOptions": ("get_message", PLACE | {"seq", "last_by_subj", "next_by_subj", "start_time"},
                   {"timeout"}),
    "ConfigOptions": ("create_stream", PLACE, {"timeout"}),
    "PublishOptions": (None, set(), {"headers", "timeout"}),
}


def rows(read, problem, path, word, pattern):
    text = read(path) or ""
    found = pattern.findall(text)
    begun = len(re.findall(r"^%s\(" % word, text, re.M))
    if not found or len(found) != begun:
        problem(path, "%d rows begin with %s( and %d can be read" % (begun, word, len(found)))
    return found


def since_text(level, since):
    if level != "0":
        return "%s, level %s" % (since, level)
    return "" if since == FIRST else since


def kind_text(kind, of):
    if kind == "CHOICE":
        return ", ".join("`%s`" % re.sub("@.*", "", choice) for choice in of.split("|"))
    if kind in ("OBJECT", "OBJECTS", "CHANGES"):
        before = {"OBJECT": "", "OBJECTS": "list of ", "CHANGES": "some of "}[kind]
        return "%s[%s](#%s)" % (before, of, of)
    return KINDS[kind]


def notes(name, of, musts, pairs):
    """What the rules say of a key, behind its words."""
    out = []
    if (of, name) in musts:
        out.append("Must be given.")
    for rule, where, a, b in pairs:
        if where == of and rule == "NOT_BOTH" and name in (a, b):
            out.append("Not with `%s`." % (b if name == a else a))
        if where == of and rule == "NEEDS" and name == a:
            out.append("Needs `%s`." % b)
    return " ".join(out)


def key_table(of, keys, musts, pairs):
    text = "| key | value | nats-server | |\n|---|---|---|---|\n"
    for where, name, kind, inner, level, since, doc in keys:
        if where == of:
            words = " ".join(filter(None, (doc, notes(name, of, musts, pairs))))
            text += "| `%s` | %s | %s | %s |\n" % (
                name, kind_text(kind, inner), since_text(level, since), words)
    return text


def tables(verbs, keys, musts, pairs):
    text = "| verb | arguments | nats-server | |\n|---|---|---|---|\n"
    for name, _, _, _, level, since, doc in verbs:
        given = ["`%s`" % row[1] for row in keys if row[0] == name]
        # Only a verb that takes arguments has a part of its own, below, to lead to.
        title = "[%s](#%s)" % (name, name) if given else name
        text += "| %s | %s | %s | %s |\n" % (
            title, ", ".join(given), since_text(level, since), doc)
    names = [verb[0] for verb in verbs]
    objects = [name for name in dict.fromkeys(row[0] for row in keys) if name not in names]
    text += "\n## Configurations\n"
    for name in objects:
        text += "\n### %s\n\n%s" % (name, key_table(name, keys, musts, pairs))
    text += "\n## Arguments of verbs\n"
    for name in names:
        if any(row[0] == name for row in keys):
            text += "\n### %s\n\n%s" % (name, key_table(name, keys, musts, pairs))
    return text


def fields_of(text, name):
    found = re.search(r"^---@class nats\.%s\b.*\n(?:---@field .*\n)+" % name, text, re.M)
    return re.findall(r"^---@field (\w+)", found.group(0) if found else "", re.M)


def check(read, problem):
    """What is written by hand: the page's table of publish's keywords, and the names that editors of Lua know."""
    known = read(ANNOTATIONS) or ""
    table = (read(PAGE) or "").partition("| keyword | header |")[2].partition("\n\n")[0]
    since = {}  # by keyword, as the page has it
    for line in table.splitlines()[2:]:
        cells = [cell.strip() for cell in line.split("|")]
        since.update((name, cells[3]) for name in re.findall("`(\\w+)`", cells[1]))
    for name, _, level in rows(read, problem, KEYWORDS, "KEYWORD", KEYWORD):
        if since.get(name) != LEVELS[level]:
            problem(PAGE, "has no row for the keyword %s of nats-server %s"
                    % (name, LEVELS[level] or FIRST))
        if not re.search(r"^---@field %s\?" % name, known, re.M):
            problem(ANNOTATIONS, "has no field for the keyword %s" % name)
    for of, name, *_ in rows(read, problem, KEYS, "KEY", KEY):
        words = {"stream_config": "StreamConfig", "consumer_config": "ConsumerConfig"}.get(of)
        if words and name not in fields_of(known, words):
            problem(ANNOTATIONS, "%s has no field for the key %s" % (words, name))


def page(read, problem):
    """docs/jetstream.md with its tables anew; None when there is no such file, or none are asked for."""
    text = read(PAGE) or ""
    if BEGIN not in text or END not in text:
        return None
    verbs = rows(read, problem, VERBS, "VERB", VERB)
    keys = rows(read, problem, KEYS, "KEY", KEY)
    musts = set(rows(read, problem, KEYS, "MUST", MUST))
    pairs = PAIR.findall(read(KEYS) or "")
    before, rest = text.split(BEGIN, 1)
    return before + BEGIN + tables(verbs, keys, musts, pairs) + END + rest.split(END, 1)[1]


def choices(kind, inner):
    return sorted(re.sub("@.*", "", one) for one in inner.split("|")) if kind == "CHOICE" else None


def check_class(text, name, known, problem):
    """known: the values that each key may have, None for any."""
    found = re.search(r"^---@class nats\.%s\b.*\n((?:---@field .*\n)+)" % name, text, re.M)
    fields = re.findall(r"^---@field (\w+)\??\s+(.*)$", found.group(1) if found else "", re.M)
    told = dict(fields)
    for key in sorted(set(known) - set(told)):
        problem(ANNOTATIONS, "nats.%s has no field %s" % (name, key))
    for key in sorted(set(told) - set(known)):
        problem(ANNOTATIONS, "nats.%s has a field %s, which is no key" % (name, key))
    for key, values in known.items():
        named = sorted(re.findall(r'"(\w+)"', told.get(key, "")))
        if values is not None and key in told and named != values:
            problem(ANNOTATIONS, "nats.%s: %s may be %s" % (name, key, ", ".join(values)))


def check_annotations(read, problem):
    """Editors learn the keys from a file that is written by hand."""
    text = read(ANNOTATIONS) or ""
    keys = rows(read, problem, KEYS, "KEY", KEY)
    keywords = rows(read, problem, KEYWORDS, "KEYWORD", KEYWORD)
    for name, (of, left_out, own) in CLASSES.items():
        if of is None:
            known = {row[0]: None for row in keywords}
        else:
            known = {row[1]: choices(row[2], row[3]) for row in keys if row[0] == of}
        known = {key: values for key, values in known.items() if key not in left_out}
        known.update(dict.fromkeys(own))
        check_class(text, name, known, problem)
