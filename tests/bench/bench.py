#!/usr/bin/env python3
"""make bench: what Postern takes, beside the floor of the same run.

Prints one line of JSON for each figure, then a table. A figure lives in a
module fig_*.py whose run(options) yields Figure tuples; a new module is named
in FIGURES and that is all. Exit status 1 when a target was missed."""

import argparse
import importlib
import json
import sys

# In this order; each can be run alone by its name.
FIGURES = ("decide", "start", "latency", "turns", "memory", "status", "send",
           "callbacks", "many")
# Only when they are named: they take minutes.
LONG = ("flat",)


def line(f):
    ratio = None
    if f.value is not None and f.floor:
        ratio = round(f.value / f.floor, 2)
    return {"figure": f.name, "value": f.value, "unit": f.unit,
            "floor": f.floor, "ratio": ratio}


def verdict(f):
    if f.value is None:
        return "not measured"
    ok = f.target is None or (f.value <= f.target if f.target_is_max
                              else f.value >= f.target)
    return "" if f.target is None else "ok" if ok else "MISSED"


def show(value):
    return "-" if value is None else "%g" % value


def table(figures):
    rows = [("figure", "value", "unit", "floor", "ratio", "target", "")]
    for f in figures:
        bound = ""
        if f.target is not None:
            bound = ("<= " if f.target_is_max else ">= ") + show(f.target)
        rows.append((f.name, show(f.value), f.unit, show(f.floor),
                     show(line(f)["ratio"]), bound, verdict(f)))
    wide = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print("  ".join(c.rjust(w) if 0 < i < 6 and i != 2 else c.ljust(w)
                        for i, (c, w) in enumerate(zip(r, wide))).rstrip())


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--accounts", type=int, default=10)
    p.add_argument("--channels", type=int, default=40)
    p.add_argument("--rounds", type=int, default=100,
                   help="questions in each channel")
    p.add_argument("--repeat", type=int, default=3,
                   help="runs, of which the median counts")
    p.add_argument("--many", type=int, default=200,
                   help="accounts of the figures about many")
    p.add_argument("--sizes", type=int, nargs=3, default=(1, 10, 50),
                   help="numbers of accounts whose memory is looked at")
    p.add_argument("--idle", type=float, default=20, metavar="SECONDS")
    p.add_argument("--posts", type=int, default=100000,
                   help="posts over which memory has to stay flat")
    p.add_argument("--settle", type=float, default=6, metavar="SECONDS",
                   help="what a burst took is given back within")
    p.add_argument("--no-targets", action="store_true",
                   help="report only: for a busy machine")
    p.add_argument("figures", nargs="*", metavar="FIGURES",
                   help="of: %s; by name alone: %s" % (
                       " ".join(FIGURES), " ".join(LONG)))
    options = p.parse_args()
    wrong = set(options.figures) - set(FIGURES + LONG)
    if wrong:
        p.error("no such figures: " + " ".join(sorted(wrong)))
    if min(options.accounts, options.rounds, options.repeat) < 1 or \
            options.channels < options.accounts:
        p.error("at least one round, and a channel for each account")
    figures = []
    for name in options.figures or FIGURES:
        for f in importlib.import_module("fig_" + name).run(options):
            figures.append(f)
            print(json.dumps(line(f)), flush=True)
    print()
    table(figures)
    missed = any(verdict(f) == "MISSED" for f in figures)
    return 1 if missed and not options.no_targets else 0


if __name__ == "__main__":
    sys.exit(main())
