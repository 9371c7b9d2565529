#!/usr/bin/env python3
"""Writes unicode_tables.h from the Unicode data that Python carries.

Run by hand when the tables should follow a newer Unicode version:
    python3 common/unicode_gen.py > common/unicode_tables.h
"""
import sys
import unicodedata

LAST = 0x10FFFF


def ranges(want):
    out, start = [], None
    for cp in range(LAST + 2):
        inside = cp <= LAST and want(chr(cp))
        if inside and start is None:
            start = cp
        elif not inside and start is not None:
            out.append((start, cp - 1))
            start = None
    return out


def word(c):
    return c == "_" or unicodedata.category(c)[0] in "LNM"


def unseen(c):
    return unicodedata.category(c)[0] in "MZ" or \
        unicodedata.category(c) in ("Cc", "Cf")


def wide(c):
    return unicodedata.east_asian_width(c) in "WF"


def lower_runs():
    """(first, last, step, delta): every step-th character moves by delta."""
    pairs = []
    for cp in range(0x80, LAST + 1):
        low = chr(cp).lower()
        if len(low) == 1 and ord(low) != cp:
            pairs.append((cp, ord(low) - cp))
    runs = []
    for cp, delta in pairs:
        if runs:
            first, last, step, d = runs[-1]
            gap = cp - last
            if d == delta and (gap == step or (first == last and gap <= 2)):
                runs[-1] = (first, cp, gap, d)
                continue
        runs.append((cp, cp, 1, delta))
    return runs


def table(name, rows):
    print(f"static const struct range {name}[] = {{")
    for a, b in rows:
        print(f"    {{0x{a:x}, 0x{b:x}}},")
    print("};\n")


print(f"/* Unicode {unicodedata.unidata_version}, "
      "written by unicode_gen.py: do not edit. */")
table("word_ranges", ranges(word))
table("unseen_ranges", ranges(unseen))
table("wide_ranges", ranges(wide))
print("static const struct lower_run lower_runs[] = {")
for row in lower_runs():
    print("    {0x%x, 0x%x, %d, %d}," % row)
print("};")
sys.stdout.flush()
