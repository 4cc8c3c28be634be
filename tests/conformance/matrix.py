"""The case × language matrix: kept in parts, one per server and area, and merged into one page."""

import fcntl
import json
import os

MARKS = {"pass": "✓", "fail": "**FAIL**", "skip": "skip", "gate": "–", "xpass": "**XPASS**"}
SHORT = {"pass": ".", "fail": "F", "skip": "s", "gate": "-", "xpass": "X"}


def print_matrix(cells, columns):
    """cells: title -> {column: status}. For a terminal."""
    if not cells:
        return
    width = max(len(title) for title in cells)
    print("%-*s  %s" % (width, "", "  ".join(columns)))
    for title, row in cells.items():
        marks = "  ".join(
            SHORT.get(row.get(column), " ").center(len(column)) for column in columns
        )
        print("%-*s  %s" % (width, title, marks))


def columns_of(cells):
    seen = {}
    for row in cells.values():
        seen.update(dict.fromkeys(row))
    return list(seen)


def write_part(build, version, area, cells, some_drivers=False):
    """With some_drivers, what others did before stays."""
    folder = os.path.join(build, "conformance", version)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, area + ".json")
    if some_drivers and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
        cells = {title: {**before.get(title, {}), **row} for title, row in cells.items()}
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(cells, file, indent=1)
    os.replace(path + ".new", path)


def read_parts(build):
    """version -> area -> cells"""
    found = {}
    root = os.path.join(build, "conformance")
    for version in sorted(os.listdir(root)):
        folder = os.path.join(root, version)
        if not os.path.isdir(folder):
            continue
        for name in sorted(os.listdir(folder)):
            if name.endswith(".json"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found.setdefault(version, {})[name[:-5]] = json.load(file)
    return found


def page_table(cells):
    columns = columns_of(cells)
    lines = ["| case | %s |" % " | ".join(columns), "|---|%s" % ("---|" * len(columns))]
    for title, row in cells.items():
        marks = (MARKS.get(row.get(column), "") for column in columns)
        lines.append("| %s | %s |" % (title, " | ".join(marks)))
    return lines


def page_summary(areas):
    totals = {}
    for area, cells in areas.items():
        for row in cells.values():
            for column, status in row.items():
                tally = totals.setdefault(area, {}).setdefault(column, [0, 0, 0])
                tally[0] += status == "pass"
                tally[1] += status not in ("gate", "skip")
                tally[2] += status == "skip"
    columns = sorted({column for row in totals.values() for column in row}, key=column_key)
    lines = ["| area | %s |" % " | ".join(columns), "|---|%s" % ("---|" * len(columns))]
    for area, row in totals.items():
        marks = (page_tally(row[c]) if c in row else "" for c in columns)
        lines.append("| %s | %s |" % (area, " | ".join(marks)))
    return lines


def page_tally(tally):
    passed, played, skipped = tally
    return "%d of %d%s" % (passed, played, ", %d skipped" % skipped if skipped else "")


def column_key(column):
    return ("→" in column, column)


def merge(build):
    """Write conformance-matrix.md from all parts there are. Several runs may do so at once."""
    with open(os.path.join(build, "conformance", "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = ["# Conformance matrix", ""]
        lines += ["✓ passed · – the server is too old or too new · skip: see skips.txt", ""]
        for version, areas in read_parts(build).items():
            lines += ["## nats-server %s" % version, ""] + page_summary(areas) + [""]
            for area, cells in areas.items():
                lines += ["### %s" % area, ""] + page_table(cells) + [""]
        path = os.path.join(build, "conformance-matrix.md")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        os.replace(path + ".new", path)
