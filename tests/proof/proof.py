#!/usr/bin/env python3
"""make proof: run the tests that the table names, and tell what holds.

The table has a line for each row, and below it, indented, the tests:

    P5  what is proved
        unit/test_chan.c    test_surplus test_bad_frames
        e2e/test_faults.py  test_hostile_frames
        sandbox/forbidden.c  6: execve; fork; clone
        fuzz/fuzz_frame.c

Of the sandbox's acts the number says how many roles have to try them. A test
that is not there, was skipped, or has run no case proves nothing: its row
fails. "--names" only looks whether all that the table names exists.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
BUILD = os.path.abspath(os.environ.get(
    "POSTERN_BUILD", os.path.join(TESTS, "..", "build")))
PROGRAM_S = 600
FLOWS_S = 3600

# make proof FULL=1: the numbers of a release.
FULL = {"POSTERN_TEST_KILLS": "200", "POSTERN_TEST_KILL_MESSAGES": "10000",
        "POSTERN_LOAD_SECONDS": "20", "POSTERN_TEST_COMPARISONS": "1000000"}


class Row:
    def __init__(self, name, what):
        self.name = name
        self.what = what
        self.wanted = []  # (file, test, roles)


class Cases:
    """What one test has come to: how many cases of it passed, what not."""

    def __init__(self):
        self.passed = 0
        self.bad = []


def table_read(path):
    rows = []
    with open(path) as f:
        for line in f:
            line = line.rstrip()
            if not line or line.startswith("#"):
                continue
            if not line[0].isspace():
                rows.append(Row(*line.split(None, 1)))
                continue
            file, _, names = line.strip().partition(" ")
            rows[-1].wanted += wanted_of(file, names.strip())
    return rows


def wanted_of(file, names):
    if file.startswith("sandbox/"):
        roles, _, acts = names.partition(":")
        return [(file, a.strip(), int(roles)) for a in acts.split(";")]
    if file.startswith("fuzz/"):
        return [(file, os.path.basename(file)[:-2], 1)]
    return [(file, n, 1) for n in names.split()]


# -- is it there?

def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def corpus(name):
    found = []
    top = os.path.join(TESTS, "fuzz", "corpus", name.replace("fuzz_", "", 1))
    for where, _, files in os.walk(top):
        found += [os.path.join(where, f) for f in files]
    return sorted(found)


def exists(file, name):
    text = read(os.path.join(TESTS, file))
    if file.startswith("fuzz/"):
        return text != "" and corpus(name) != []
    if file.startswith("sandbox/"):
        return '"%s"' % name in text
    if file.endswith(".py"):
        return re.search(r"^def %s\(" % re.escape(name), text, re.M) \
            is not None
    return re.search(r"(cmocka_unit_test\w*|\bT)\(\s*%s\b" %
                     re.escape(name), text) is not None


def names_check(rows):
    bad = []
    for row in rows:
        if not row.wanted:
            bad.append("%s: no test" % row.name)
        bad += ["%s: no test %s in tests/%s" % (row.name, name, file)
                for file, name, _ in row.wanted if not exists(file, name)]
    numbers = [row.name for row in rows]
    if numbers != ["P%d" % (n + 1) for n in range(len(rows))]:
        bad.append("the rows are not numbered P1, P2, ...")
    return bad


# -- run them

def place(file):
    """Under what name its results are: the sandbox has one program."""
    return "sandbox" if file.startswith("sandbox/") else file


def command(argv, timeout, env=None, cwd=BUILD):
    """(exit status, output)"""
    with tempfile.TemporaryFile("w+", errors="replace") as out:
        try:
            rc = subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, timeout=timeout, cwd=cwd,
                env=dict(os.environ, POSTERN_BUILD=BUILD,
                         srcdir=os.path.dirname(TESTS),
                         **(env or {}))).returncode
        except subprocess.TimeoutExpired:
            rc = "no end within %d s" % timeout
        except OSError as e:
            rc = str(e)
        out.seek(0)
        return rc, out.read()


def case(results, file, name):
    return results.setdefault((file, name), Cases())


def run_unit(file, results):
    program = os.path.join(BUILD, "tests", file[:-2])
    rc, out = command([program], PROGRAM_S, {"CMOCKA_MESSAGE_OUTPUT": "TAP"})
    for m in re.finditer(r"^(not )?ok \d+ - (\w+)(.*)$", out, re.M):
        c = case(results, file, m[2])
        if m[1] or "SKIP" in m[3].upper():
            c.bad.append(("failed" if m[1] else "skipped") + m[3])
        else:
            c.passed += 1
    if rc != 0:
        # It may have died behind its last line.
        case(results, file, "").bad.append("%s: %s" % (file, rc))
        sys.stderr.write(out[-4000:])


def run_sandbox(results):
    program = os.path.join(BUILD, "tests", "sandbox", "probe")
    rc, out = command([program], PROGRAM_S)
    for m in re.finditer(r"^(\w+)  +(\S.*?) +-> (.*)$", out, re.M):
        c = case(results, "sandbox", m[2])
        if "WRONG" in m[3]:
            c.bad.append("%s: %s" % (m[1], m[3]))
        else:
            c.passed += 1
    if rc != 0:
        case(results, "sandbox", "").bad.append("probe: %s" % rc)
        sys.stderr.write(out[-4000:])


def run_fuzz(file, results):
    name = os.path.basename(file)[:-2]
    files = corpus(name)
    rc, out = command([os.path.join(BUILD, "tests", "fuzz", name), *files],
                      PROGRAM_S)
    c = case(results, file, name)
    if rc == 0:
        c.passed += len(files)
    else:
        c.bad.append(str(rc))
        sys.stderr.write(out[-4000:])


def python():
    """One that has pytest; and whether it can run tests side by side."""
    for modules in ("pytest, xdist", "pytest"):
        for py in (sys.executable, "/usr/bin/python3"):
            if subprocess.run([py, "-c", "import " + modules],
                              capture_output=True).returncode == 0:
                return py, "xdist" in modules
    sys.exit("python3 with pytest is not installed")


def run_flows(wanted, results, jobs):
    """All of pytest's in one go; the report is read from its XML."""
    py, beside = python()
    with tempfile.TemporaryDirectory() as d:
        report = os.path.join(d, "report.xml")
        argv = [py, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                "--junitxml", report]
        if jobs > 1 and beside:
            argv += ["-n", str(jobs)]
        rc, out = command(
            argv + sorted({"%s::%s" % w[:2] for w in wanted}), FLOWS_S,
            {"PYTHONPATH": os.path.join(TESTS, "e2e")}, TESTS)
        if rc != 0:
            sys.stderr.write(out[-20000:])
        if not os.path.exists(report):
            return
        for t in xml.etree.ElementTree.parse(report).iter("testcase"):
            file = t.get("classname").replace(".", "/") + ".py"
            c = case(results, file, t.get("name").split("[")[0])
            worse = [x for x in t if x.tag in ("failure", "error", "skipped")]
            if worse:
                c.bad.append("%s: %s" % (t.get("name"), worse[0].tag))
            else:
                c.passed += 1


def run(rows, jobs):
    """{(file, test): Cases}; file and "" is what the program came to."""
    results = {}
    wanted = [w for row in rows for w in row.wanted]
    for file in sorted({place(w[0]) for w in wanted
                        if w[0].endswith(".c")}):
        print("running", file, file=sys.stderr, flush=True)
        if file == "sandbox":
            run_sandbox(results)
        elif file.startswith("fuzz/"):
            run_fuzz(file, results)
        else:
            run_unit(file, results)
    flows = [w for w in wanted if w[0].endswith(".py")]
    if flows:
        print("running the flows", file=sys.stderr, flush=True)
        run_flows(flows, results, jobs)
    return results


# -- tell

def judge(row, results):
    """(how many tests have passed, what is wrong)"""
    n, bad = 0, []
    for file, name, least in row.wanted:
        c = results.get((place(file), name), Cases())
        whole = results.get((place(file), ""), Cases())
        n += c.passed
        bad += ["%s: %s" % (name, b) for b in c.bad + whole.bad]
        if c.passed < least and not c.bad:
            bad.append("%s: %s" % (name, "has not run" if c.passed == 0 else
                                   "%d of %d" % (c.passed, least)))
    return n, bad


def tell(rows, results):
    holding = 0
    for row in rows:
        n, bad = judge(row, results)
        holding += not bad
        print("%-4s %-6s %s (%d test%s)" % (
            row.name, "FAILS" if bad else "holds", row.what, n,
            "" if n == 1 else "s"))
        for b in bad:
            print("            " + b)
    print("%d of %d hold" % (holding, len(rows)))
    return holding == len(rows)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--table", default=os.path.join(HERE, "table"))
    ap.add_argument("--names", action="store_true")
    ap.add_argument("--full", action="store_true")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("rows", nargs="*")
    a = ap.parse_args()
    rows = table_read(a.table)
    bad = names_check(rows)
    if a.names:
        for b in bad:
            print(b)
        print("%d rows, %d tests" % (
            len(rows), sum(len(row.wanted) for row in rows)))
        return bool(bad)
    if a.full:
        os.environ.update(FULL)
    unknown = set(a.rows) - {row.name for row in rows}
    if unknown:
        sys.exit("no row " + " ".join(sorted(unknown)))
    rows = [row for row in rows if not a.rows or row.name in a.rows]
    return not tell(rows, run(rows, a.jobs))


if __name__ == "__main__":
    sys.exit(main())
