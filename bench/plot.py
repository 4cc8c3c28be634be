#!/usr/bin/env python3
"""Draw a bench summary: one panel per figure, one labelled bar per program."""

import argparse
import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first
import pandas  # noqa: E402

from summary import JS_PREFIX, LABELS, MEMORY_WORKS, TITLES  # noqa: E402

COLORS = {"raw": "#8a8f98", "polynats": "#1f6fb2", "polynats-lua": "#5aa7dd",
          "polynats-python": "#3f8f8a", "polynats-ruby": "#b5485d", "polynats-tcl": "#7d6bb0",
          "polynats-aio": "#57a8a2", "polynats-green": "#7fbfb9", "nats-py": "#c9803a",
          "goingnats": "#a8713f", "cnats": "#d08a2e", "gonats": "#5b9e6f"}
PANELS_PER_ROW = 3
ROW_INCHES = 2.5

# work -> the figures shown: (column, ratio column, unit, divisor, format, better)
FIGURES = {
    "pub": (("msgs_per_s", "rate_ratio", "M msg/s", 1e6, "{:.2f}", "more is better"),
            ("client_cpu_ns_per_msg", "cpu_ratio", "ns client CPU", 1, "{:.0f}",
             "less is better")),
    "req": (("p50_us", "p50_ratio", "µs, median", 1, "{:.0f}", "less is better"),),
    "bytes": (("bytes_each", None, "bytes", 1, "{:.0f}", "less is better"),),
    "instructions": (("instructions_per_msg", None, "instructions", 1, "{:.0f}",
                      "less is better"),),
}
FIGURES["sub"] = FIGURES["pub"]
FIGURES |= {work: (("msgs_per_s", "peer_rate_ratio", "k msg/s", 1e3, "{:.0f}", "more is better"),
                   ("client_cpu_ns_per_msg", "peer_cpu_ratio", "µs client CPU", 1e3, "{:.2f}",
                    "less is better")) for work in LABELS if work.startswith(JS_PREFIX)}
FIGURES["respond"] = FIGURES["lone"] = FIGURES["req"]
FIGURES["subs"] = FIGURES["idle"] = FIGURES["bytes"]


def _panels(table):
    """(title, figure, rows) for each panel."""
    for (work, size, pin), rows in table.groupby(["work", "size", "pin"], sort=False):
        kind = "instructions" if pin == "callgrind" else work
        title = LABELS[work] + (f", {size} B" if size else "")
        if work not in MEMORY_WORKS and pin == "none":
            title += ", not pinned"
        for figure in FIGURES[kind]:
            yield title, figure, rows


def _label(row, figure):
    column, ratio, _, divisor, form, _ = figure
    text = form.format(row[column] / divisor)
    if ratio is None or row["name"] == "raw" or math.isnan(row[ratio]):
        return f" {text}"
    return f" {text}  ({row[ratio]:.2f}×)"


def _draw_panel(axes, title, figure, rows):
    column, _, unit, divisor, _, better = figure
    names = [name for name in TITLES if name in set(rows["name"])]
    rows = rows.set_index("name", drop=False).loc[names]
    bars = axes.barh([TITLES[name] for name in names], rows[column] / divisor,
                     color=[COLORS[name] for name in names], height=0.68)
    axes.bar_label(bars, [_label(row, figure) for _, row in rows.iterrows()], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, max(rows[column].max() / divisor, 1e-9) * 1.45)
    axes.set_title(f"{title}\n{unit} ({better})", fontsize=9, loc="left")
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _facts(path):
    facts = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                break
            name, _, value = line[1:].partition(":")
            facts[name.strip()] = value.strip()
    return facts


def _brackets(table):
    jetstream = table["work"].str.startswith(JS_PREFIX)
    words = [] if jetstream.all() else ["the raw socket loop"]
    words += ["on JetStream nats.go (C) and nats-py (scripts)"] if jetstream.any() else []
    return ", ".join(words)


def draw(csv_path, stem):
    """Write stem.png and stem.svg from a summary CSV."""
    table = pandas.read_csv(csv_path, comment="#")
    panels = list(_panels(table))
    count = math.ceil(len(panels) / PANELS_PER_ROW)
    figure, grid = plt.subplots(count, PANELS_PER_ROW, squeeze=False,
                                figsize=(5.0 * PANELS_PER_ROW, ROW_INCHES * count + 0.6))
    for axes, panel in zip(grid.flat, panels):
        _draw_panel(axes, *panel)
    for axes in list(grid.flat)[len(panels):]:
        axes.set_visible(False)
    facts = _facts(csv_path)
    figure.suptitle(f"polynats bench, {facts.get('date')}: medians of {facts.get('runs')} runs, "
                    f"nats-server {facts.get('server')}, {facts.get('cores')} cores; "
                    f"in brackets the ratio to {_brackets(table)}", fontsize=10)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    figure.savefig(f"{stem}.png", dpi=110)
    figure.savefig(f"{stem}.svg")
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", help="a summary, as bench/results/latest.csv")
    parser.add_argument("stem", help="STEM.png and STEM.svg are written")
    args = parser.parse_args()
    draw(args.csv, args.stem)


if __name__ == "__main__":
    main()
