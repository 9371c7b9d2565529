"""The event names of the log against postern-log(7), both ways.

A name is the second argument of log_event(): one literal, or a choice of
literals; anything else could not be listed.
"""

import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAGE = os.path.join(TOP, "man", "postern-log.7")
NAME = re.compile(r"[a-z]+([._-][a-z]+)*$")


def arguments(text, start):
    """The top-level arguments of the call whose '(' is at start."""
    depth, at, args, i = 0, start + 1, [], start
    while True:
        c = text[i]
        if c == '"':
            i += 1
            while text[i] != '"':
                i += 2 if text[i] == "\\" else 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                return args + [text[at:i]]
        elif c == "," and depth == 1:
            args.append(text[at:i])
            at = i + 1
        i += 1


def in_code():
    names, wrong = {}, []
    for folder in ("common", "daemon", "workers"):
        for where, _, files in os.walk(os.path.join(TOP, folder)):
            for name in sorted(files):
                path = os.path.join(where, name)
                if not name.endswith(".c") or path.endswith("common/log.c"):
                    continue
                with open(path) as f:
                    text = f.read()
                for m in re.finditer(r"\blog_event\(", text):
                    arg = arguments(text, m.end() - 1)[1]
                    found = re.findall(r'"([^"]*)"', arg.split("?", 1)[-1])
                    if not found:
                        wrong.append("%s: %s" % (path, arg.strip()))
                    for n in found:
                        if not NAME.match(n):
                            wrong.append("%s: %s" % (path, n))
                        names[n] = os.path.relpath(path, TOP)
    return names, wrong


def in_page():
    with open(PAGE) as f:
        return re.findall(r"^\.It Cm (\S+)$", f.read(), re.M)


def main():
    names, wrong = in_code()
    listed = in_page()
    for w in wrong:
        print("not a name that can be listed: " + w)
    for n in sorted(set(names) - set(listed)):
        print("postern-log.7 lacks %s, of %s" % (n, names[n]))
    for n in sorted(set(listed) - set(names)):
        print("postern-log.7 has %s, which nothing logs" % n)
    if listed != sorted(set(listed)):
        print("postern-log.7: not in order, or twice")
        wrong.append("order")
    return 1 if wrong or set(names) != set(listed) or len(names) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
