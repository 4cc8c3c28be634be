"""From single runs to medians, ratios and the tables made of them."""

import csv
import dataclasses
import statistics

COLUMNS = ("work", "size", "pin", "name", "runs", "msgs", "msgs_per_s", "rate_ratio", "rate_low",
           "rate_high", "client_cpu_ns_per_msg", "cpu_ratio", "p50_us", "p50_ratio", "p99_us",
           "bytes_each", "instructions_per_msg", "peer", "peer_rate_ratio", "peer_cpu_ratio",
           "server_cpu_ns_per_msg", "peer_server_ratio")

MARKS = {"core": ("<!-- bench:begin -->", "<!-- bench:end -->"),
         "js": ("<!-- bench-js:begin -->", "<!-- bench-js:end -->")}

LABELS = {
    "pub": "publish", "sub": "receive", "req": "request (raw responder)",
    "respond": "respond (raw requester)", "lone": "lone publish to another client",
    "subs": "a subscription", "idle": "an idle connection",
}
MEMORY_WORKS = ("subs", "idle")
for _storage in ("memory", "file"):
    LABELS |= {f"js-pub-{_storage}": f"windowed publish, {_storage} stream",
               f"js-fast-{_storage}": f"fast ingest, {_storage} stream",
               f"js-fetch-{_storage}": f"fetch and ack, {_storage} stream",
               f"js-consume-{_storage}": f"consume and ack, {_storage} stream",
               f"js-ordered-{_storage}": f"ordered consume, {_storage} stream"}
JS_PREFIX = "js-"  # of the works on JetStream
TITLES = {"raw": "raw socket loop", "polynats": "polynats (C)", "cnats": "cnats",
          "gonats": "nats.go", "polynats-lua": "polynats (Lua)",
          "polynats-ruby": "polynats (Ruby)", "polynats-tcl": "polynats (Tcl)",
          "polynats-python": "polynats (Python)", "polynats-aio": "polynats.aio",
          "polynats-green": "polynats.green", "nats-py": "nats-py (asyncio)",
          "goingnats": "goingnats"}
# A table each: a page is not wide enough for all.
TABLES = {"compiled": ("raw", "polynats", "cnats", "gonats"),
          "scripts": ("raw", "polynats-lua", "polynats-ruby", "polynats-tcl"),
          "Python": ("raw", "polynats-python", "polynats-aio", "polynats-green", "nats-py",
                     "goingnats")}
JS_TABLES = {"compiled, JetStream": ("raw", "polynats", "cnats", "gonats"),
             "scripts, JetStream": ("raw", "polynats-lua", "polynats-ruby", "polynats-tcl",
                                    "nats-py"),
             "Python, JetStream": ("raw", "polynats-python", "polynats-aio", "nats-py")}
JS_SERVER_TABLE = ("what the server computes", ("raw", "polynats", "cnats", "gonats",
                                                "polynats-python", "nats-py"))


def peer_of(work, name):
    """On JetStream the raw loop shows what the server gives; who is to be beaten is another client."""
    if not work.startswith(JS_PREFIX) or not name.startswith("polynats"):
        return None
    return "gonats" if name == "polynats" else "nats-py"


@dataclasses.dataclass(frozen=True)
class Key:
    """What was measured."""
    work: str
    size: int
    pin: str


def _median(rows, column):
    values = [row[column] for row in rows if row.get(column) is not None]
    return statistics.median(values) if values else None


def _ratio(rows, base, column):
    """The median of the ratios to raw, each within one round: what disturbs a round disturbs both."""
    by_round = {row["round"]: row[column] for row in base if row.get(column)}
    ratios = [row[column] / by_round[row["round"]] for row in rows
              if row.get(column) and row["round"] in by_round]
    return statistics.median(ratios) if ratios else None


def _summary(key, name, rows, others):
    base = others.get("raw", [])
    peer = peer_of(key.work, name)
    beaten = others.get(peer, [])
    rates = [row["msgs_per_s"] for row in rows if row["msgs_per_s"] is not None]
    return {
        "work": key.work, "size": key.size, "pin": key.pin, "name": name, "runs": len(rows),
        "msgs": int(rows[0]["msgs"]),
        "msgs_per_s": _median(rows, "msgs_per_s"),
        "rate_ratio": _ratio(rows, base, "msgs_per_s"),
        "rate_low": min(rates) if rates else None, "rate_high": max(rates) if rates else None,
        "client_cpu_ns_per_msg": _median(rows, "client_cpu_ns_per_msg"),
        "cpu_ratio": _ratio(rows, base, "client_cpu_ns_per_msg"),
        "p50_us": _median(rows, "p50_us"), "p50_ratio": _ratio(rows, base, "p50_us"),
        "p99_us": _median(rows, "p99_us"), "bytes_each": _median(rows, "bytes_each"),
        "instructions_per_msg": None,
        "peer": peer if beaten else None,
        "peer_rate_ratio": _ratio(rows, beaten, "msgs_per_s"),
        "peer_cpu_ratio": _ratio(rows, beaten, "client_cpu_ns_per_msg"),
        "server_cpu_ns_per_msg": _median(rows, "server_cpu_ns_per_msg"),
        "peer_server_ratio": _ratio(rows, beaten, "server_cpu_ns_per_msg"),
    }


def summarize(runs):
    """runs: the programs' rows with `round` and `pin`. Returns one row per work, size, pin and program."""
    groups = {}
    for row in runs:
        key = Key(row["work"], int(row["size"]), row["pin"])
        groups.setdefault(key, {}).setdefault(row["name"], []).append(row)
    return [_summary(key, name, rows, programs)
            for key, programs in groups.items() for name, rows in programs.items()]


def instruction_rows(counts):
    """counts: (work, size, name, instructions per message)."""
    return [dict.fromkeys(COLUMNS) | {"work": work, "size": size, "pin": "callgrind", "name": name,
                                      "runs": 1, "instructions_per_msg": figure}
            for work, size, name, figure in counts]


# ---- CSV ----

def _cell(value):
    return f"{value:.4g}" if isinstance(value, float) and value < 100 else (
        f"{value:.0f}" if isinstance(value, float) else value)


def write_csv(path, facts, columns, rows):
    """facts go in front as lines that begin with `#`."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        for name, value in facts.items():
            file.write(f"# {name}: {value}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row.get(column)) for column in columns])


# ---- markdown ----

def _rate(value):
    return f"{value / 1e6:.2f} M/s" if value >= 1e6 else f"{value / 1e3:.0f} k/s"


def _with_ratio(text, ratio, name):
    return text if ratio is None or name == "raw" else f"{text} ({ratio:.2f}×)"


def _js_figure(row):
    """Rate, against whom is to be beaten, and processor time."""
    text = _rate(row["msgs_per_s"])
    if row["peer_rate_ratio"] is not None:
        text += f" (**{row['peer_rate_ratio']:.1f}×** {TITLES[row['peer']].split()[0]})"
    return f"{text}, {row['client_cpu_ns_per_msg'] / 1e3:.2f} µs"


def _figure(row, kind):
    if kind == "js":
        return _js_figure(row)
    if kind == "server":
        return f"{row['server_cpu_ns_per_msg'] / 1e3:.1f} µs"
    if kind == "rate":
        return _with_ratio(_rate(row["msgs_per_s"]), row["rate_ratio"], row["name"])
    if kind == "cpu":
        return f"{row['client_cpu_ns_per_msg']:.0f} ns"
    if kind == "p50":
        return _with_ratio(f"{row['p50_us']:.0f} µs", row["p50_ratio"], row["name"])
    if kind == "instructions":
        return f"{row['instructions_per_msg']:.0f}"
    return f"{row['bytes_each']:.0f} B"


def _lines_of(rows):
    """(label, kind, rows by program) for each line of the table, in the order measured."""
    both = {"none", "split"} <= {row["pin"] for row in rows if row["work"] not in MEMORY_WORKS}
    groups = {}
    for row in rows:
        groups.setdefault((row["work"], row["size"], row["pin"]), {})[row["name"]] = row
    for (work, size, pin), by_name in groups.items():
        label = f"{LABELS[work]}, {size} B" if work not in MEMORY_WORKS else LABELS[work]
        if pin == "none" and both and work not in MEMORY_WORKS:
            label += ", not pinned"
        if pin == "callgrind":
            yield f"{label}: instructions", "instructions", by_name
        elif work.startswith(JS_PREFIX):
            yield label, "js", by_name
        elif work in ("pub", "sub"):
            yield f"{label}: rate", "rate", by_name
            yield f"{label}: client CPU", "cpu", by_name
        elif work in ("req", "respond", "lone"):
            yield f"{label}: p50", "p50", by_name
        else:
            yield f"{label}: memory", "bytes", by_name


def _table(title, rows, names, only=None):
    """Lines of one table; raw alone is none. only: what it has, in place of what belongs to each work."""
    names = [name for name in names if any(row["name"] == name for row in rows)]
    if names in ([], ["raw"]):
        return []
    lines = [f"| {title}, per message | " + " | ".join(TITLES[name] for name in names) + " |",
             "|---|" + "---|" * len(names)]
    for label, kind, by_name in _lines_of(rows):
        if any(name in by_name for name in names if name != "raw"):
            cells = [_figure(by_name[name], only or kind) if name in by_name else "–"
                     for name in names]
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines + [""]


def markdown(facts, rows):
    core = [row for row in rows if not row["work"].startswith(JS_PREFIX)]
    jetstream = [row for row in rows if row["work"].startswith(JS_PREFIX)]
    lines = [line for title, names in TABLES.items() for line in _table(title, core, names)]
    lines += [line for title, names in JS_TABLES.items()
              for line in _table(title, jetstream, names)]
    lines += _table(JS_SERVER_TABLE[0], jetstream, JS_SERVER_TABLE[1], "server")
    brackets = ["in brackets the ratio to the raw socket loop of the same round"] if core else []
    if jetstream:
        brackets.append("of JetStream in brackets the ratio to nats.go or nats-py of the same "
                        "round, and last the client's CPU; the raw socket loop, which only counts, "
                        "shows what the server gives")
    lines.append(f"Medians of {facts['runs']} runs, all programs in turn on one nats-server "
                 f"{facts['server']}; {'; '.join(brackets)}. "
                 f"{facts['cores']} cores ({facts['cpu']}), {_pin_text(rows)}, {facts['date']}.")
    return "\n".join(lines) + "\n"


def _pin_text(rows):
    pins = {row["pin"] for row in rows if row["work"] not in MEMORY_WORKS}
    if "split" not in pins:
        return "not pinned"
    text = "the measured program on one core, server and feeder on the other"
    return f"{text} unless it says not pinned" if "none" in pins else text


def for_readme(rows):
    """The steadier figures only, where there are both."""
    if not any(row["pin"] == "split" for row in rows):
        return rows
    return [row for row in rows if row["pin"] != "none" or row["work"] in MEMORY_WORKS]


def update_readme(path, table, marks):
    """Put table between the marks. False when the file lacks them."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, begin, rest = text.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not begin or not end:
        return False
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{begin}\n{table}{end}{tail}")
    return True
