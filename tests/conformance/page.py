"""docs/conformance.md: how many cases of each area each driver plays, and what is left out, with the reason."""

import re

import matrix

HOW = "python3 tests/conformance/run.py --page docs/conformance.md --build build/dev"
HEAD = """# Conformance

One suite of cases holds every language to the same behaviour: [how it works](../tests/conformance/README.md). A number
is how many cases passed; *n skipped* and *n failed* say the rest of those that this server is one for. A case of two
parties counts for both; `script/test --all` plays those with every language against every other. A driver with two
names in one drives an event loop: the same cases, and nobody waits but the loop. A dash: it is not played there by
`script/test`, but by `script/test --all`: areas in which nobody waits, on loops; some drivers, with the old server.

This page is written by `{how}` after `script/test`.
"""
# What a driver did in a case of several cells: the first of these that any of them has.
WORST = ("fail", "xpass", "skip", "pass", "gate")


def status_of(driver, row):
    """Of one case: row is column -> status."""
    found = {status for column, status in row.items() if driver in column.split("→")}
    return next((status for status in WORST if status in found), None)


def words(tally):
    """What one field of the table says."""
    failed = tally.get("fail", 0) + tally.get("xpass", 0)
    if not any(tally.get(status) for status in WORST[:4]):
        return "–"
    text = str(tally.get("pass", 0))
    if tally.get("skip"):
        text += ", %d skipped" % tally["skip"]
    return text + (", **%d failed**" % failed if failed else "")


def tally_of(driver, rows):
    tally = {}
    for row in rows:
        status = status_of(driver, row)
        tally[status] = tally.get(status, 0) + 1
    return tally


def table(areas, drivers):
    yield "| area | cases | %s |" % " | ".join(drivers)
    yield "|---|---|%s" % ("---|" * len(drivers))
    for area, cells in areas.items():
        fields = (words(tally_of(driver, cells.values())) for driver in drivers)
        yield "| %s | %d | %s |" % (area, len(cells), " | ".join(fields))
    every = [row for cells in areas.values() for row in cells.values()]
    fields = (words(tally_of(driver, every)) for driver in drivers)
    yield "| **all** | %d | %s |" % (len(every), " | ".join(fields))


def skip_lines(skips):
    for skip in skips:
        what = "the verb `%s`" % skip.verb if skip.verb else "the case `%s`" % skip.pattern
        yield "| %s | %s | %s |" % (skip.driver, what, skip.reason)


def write(path, build, drivers, skips):
    lines = HEAD.format(how=HOW).splitlines()
    for version, areas in matrix.read_parts(build).items():
        lines += ["", "## nats-server %s" % version, ""] + list(table(areas, drivers))
    lines += ["", "## What is skipped", "", "| driver | what | why |", "|---|---|---|"]
    lines += skip_lines(skips)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def check(path, areas, drivers, skips):
    """What the page lacks or has too much of. The numbers are those of the day it was written."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    heads = [re.split(r" *\| *", line)[3:-1] for line in lines if line.startswith("| area |")]
    if not heads:
        yield "it has no table"
    for head in heads:
        yield from ("it does not name the driver %s" % name for name in drivers if name not in head)
        yield from ("there is no driver %s any more" % name for name in head if name not in drivers)
    newest = lines[:lines.index("## What is skipped")]
    named = {line.split(" | ")[0][2:] for line in newest if line.startswith("| ")}
    yield from ("it does not name the area %s" % area for area in areas if area not in named)
    yield from ("it lacks the skip: %s" % line for line in skip_lines(skips) if line not in lines)
    yield from ("not in skips.txt: %s" % line for line in lines[len(newest) + 4:]
                if line not in list(skip_lines(skips)))
