#!/usr/bin/env python3
"""The rules of the tree: who may include and call what, and sizes."""

import ast
import os
import re
import shutil
import subprocess
import sys

TOP = os.environ.get("srcdir", ".")
ROLES = ("account", "agent", "callback", "store", "dialer", "control")
FOLDERS = ("common", "daemon", "ctl", "workers", "tests")
FILE_MAX = 600
FUNCTION_MAX = 100
# Made by unicode_gen.py.
GENERATED = ("common/unicode_tables.h",)

# Calls that only some files may make.
ONLY = (
    # A secret's {source: "exec"} is a program of the operator's.
    (r"fork|vfork|posix_spawnp?|clone|daemon",
     ("daemon/spawn.c", "daemon/config_exec.c"), "forks"),
    # "posternctl config check" becomes "posternd -n".
    (r"execv[ep]*|execl[ep]*|fexecve|system|popen",
     ("daemon/spawn.c", "ctl/cmd_daemon.c"), "runs programs"),
    # The daemon: unix sockets of the service manager and its own.
    (r"connect|connectx",
     ("workers/dialer/", "ctl/", "daemon/rundir.c", "daemon/sdnotify.c"),
     "connects"),
    (r"getaddrinfo\w*|gethostby\w+|res_n?query", ("workers/dialer/",),
     "resolves"),
    (r"syscall|seccomp_\w+", ("common/sandbox_",), "names system calls"),
    (r"ptrace|process_vm_\w+", (), "looks into processes"),
)
ONLY_INCLUDES = (
    (r"curl/.*|wslay/.*", ("workers/net/",)),
    (r"sqlite3\.h", ("workers/store/",)),
    (r"seccomp\.h|sys/syscall\.h|linux/(?!memfd).*|asm/.*",
     ("common/sandbox_",)),
    (r"syslog\.h", ("common/log.h", "daemon/")),
)
# What is useful to all and knows nobody: folders that include only themselves
# and common/.
APART = ("workers/account/text/",)
# In the jail these die, or open what is not there.
JAILED = (r"getpw\w+|getgr(nam|gid|ent)\w*|syslog|openlog|localtime|mktime|"
          r"ctime|asctime|v?dprintf|fopen|freopen|tmpfile|mkstemp|"
          r"setlocale|dlopen|getservby\w+|sleep|usleep")
# Before the jail: the resolver's modules.
JAILED_BEFORE = ("workers/dialer/resolve.c",)
UNSAFE = (r"strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|"
          r"alloca|strncpy|strncat|rand|srand|mktemp|tmpnam|asctime|ctime")

problems = []


def bad(path, line, text):
    problems.append("%s:%d: %s" % (path, line, text))


def sources():
    for folder in FOLDERS:
        for where, dirs, files in os.walk(os.path.join(TOP, folder)):
            dirs.sort()
            for name in sorted(files):
                if name.endswith((".c", ".h", ".py")):
                    full = os.path.join(where, name)
                    yield os.path.relpath(full, TOP), full


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def code_of(text):
    """The text with comments and literals blanked; line numbers stay."""
    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
        blank, text, flags=re.S)


def calls(code, names):
    """Calls, and not definitions, which begin at the left."""
    for match in re.finditer(r"(?<![\w.>\n])(%s)\s*\(" % names, code):
        yield code.count("\n", 0, match.start()) + 1, match.group(1)


def allowed(path, places):
    return any(path == p or (p[-1] in "/_" and path.startswith(p))
               for p in places)


def role_of(path):
    match = re.match(r"workers/(\w+)/", path)
    return match.group(1) if match else None


def include_allowed(path, name):
    """May path include "name" of ours?"""
    top, other = path.split("/")[0], name.split("/")[0]
    if top == "tests" or other in ("config.h", "common"):
        return True
    if top == "common":
        return False
    for folder in APART:
        if path.startswith(folder) and not name.startswith(folder):
            return False
    if top != other:
        # posternctl reads the configuration as the daemon does.
        return top == "ctl" and re.match(r"daemon/(conf|json5|rootless)", name)
    role, wanted = role_of(path), role_of(name)
    if top != "workers" or wanted is None or wanted == role:
        return True
    return wanted == "net" and role in ("account", "agent")


def check_includes(path, text):
    first = None
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^">]+)[">]', line)
        if not match:
            continue
        kind, name = match.groups()
        first = first or name
        if kind == '"' and not include_allowed(path, name):
            bad(path, number, "must not include %s" % name)
        for pattern, places in ONLY_INCLUDES:
            if path.startswith("tests/") or allowed(path, places):
                continue
            if kind == "<" and re.fullmatch(pattern, name):
                bad(path, number, "must not include <%s>" % name)
    if path.endswith(".c") and first != "config.h":
        bad(path, 1, "config.h is not its first include")


def check_calls(path, code):
    if path.startswith("tests/"):
        return
    for names, places, what in ONLY:
        if allowed(path, places):
            continue
        for number, name in calls(code, names):
            bad(path, number, "%s() here: only %s %s" %
                (name, " ".join(places) or "nobody", what))
    for number, name in calls(code, UNSAFE):
        bad(path, number, "%s() is not used here" % name)
    if path.startswith("workers/") and path not in JAILED_BEFORE:
        for number, name in calls(code, JAILED):
            bad(path, number, "%s() does not work in a jail" % name)


def check_sizes(path, text):
    lines = text.split("\n")
    if len(lines) - 1 > FILE_MAX and path not in GENERATED:
        bad(path, len(lines), "%d lines: over %d" % (
            len(lines) - 1, FILE_MAX))
    found = python_functions if path.endswith(".py") else c_functions
    for number, length in found(text):
        if length > FUNCTION_MAX:
            bad(path, number, "function of %d lines: over %d" %
                (length, FUNCTION_MAX))


def c_functions(text):
    """Where each body begins, and its lines between the braces."""
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start - 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno


def check_header(path, text):
    if not path.endswith(".h") or path.startswith("tests/") or path in GENERATED:
        return
    if not re.search(r"#ifndef (\w+_H)\n#define \1\n", text):
        bad(path, 1, "no include guard")
    if not text.lstrip().startswith("/*"):
        bad(path, 1, "does not begin with what it promises")


DECLARES = re.compile(
    r"(?!typedef|static|extern|struct \w+ \{|enum \w* ?\{)"
    r"[a-z][\w ]*?[ *]+(\w+)\(")


def check_promises(path, text):
    """A function is declared below or beside a comment, or in a block of
    lines that begins with one."""
    if not path.endswith(".h") or path.startswith("tests/"):
        return
    lines, code = text.split("\n"), code_of(text).split("\n")
    said = False
    for number, line in enumerate(lines, 1):
        said = line.strip() != "" and (said or "/*" in line)
        found = DECLARES.match(code[number - 1])
        if found and not said:
            bad(path, number, "nothing says what %s() promises" %
                found.group(1))


def check_manuals():
    if shutil.which("mandoc") is None:
        print("mandoc is not here: manuals are not checked")
        return
    folder = os.path.join(TOP, "man")
    for name in sorted(os.listdir(folder)):
        if not re.search(r"\.[1-9]$", name):
            continue
        done = subprocess.run(
            ["mandoc", "-Tlint", "-Wwarning", os.path.join(folder, name)],
            stdout=subprocess.PIPE, universal_newlines=True)
        for line in done.stdout.splitlines():
            problems.append(line)


def manuals():
    text = ""
    for name in sorted(os.listdir(os.path.join(TOP, "man"))):
        with open(os.path.join(TOP, "man", name), encoding="utf-8") as file:
            text += file.read()
    return text


def check_variables(path, text, pages):
    """A variable of the environment is in a manual; TERM and TZDIR are what
    they are everywhere."""
    for m in re.finditer(r'\bgetenv\("(\w+)"\)', text):
        if m.group(1) not in ("TERM", "TZDIR") and \
                not re.search(r"\b%s\b" % m.group(1), pages):
            bad(path, text.count("\n", 0, m.start()) + 1,
                m.group(1) + " is in no manual")


def read_words():
    """Names in the strings of who reads configuration and frames."""
    words = set()
    for path, full in sources():
        if path.startswith(("common/", "daemon/", "workers/", "ctl/")) and \
                path.endswith(".c") and path != "daemon/config_keys.c":
            with open(full, encoding="utf-8") as file:
                for text in re.findall(r'"([\w.\[\]*]+)', file.read()):
                    words.update(re.findall(r"\w+", text))
    return words


def check_keys(text, words):
    """A key that nothing reads must say so, or be among the ignored."""
    for m in re.finditer(r'\b(?:ROW|BOOL|STRS?|LONG|IDS|WORD|INT)\((?:\w+ )?'
                         r'"([^"]*)",([^()]|\([^()]*\))*\)', text):
        name = (re.findall(r"\w+", m.group(1)) or [""])[-1]
        if name and name not in words and "taken and kept" not in m.group(0):
            bad("daemon/config_keys.c", text.count("\n", 0, m.start()) + 1,
                "nothing reads " + name)


def check_dist(path, words):
    """What no fragment of the Makefile names is not in a release."""
    if path.endswith((".c", ".h")) and path not in words:
        bad(path, 1, "no Makefile fragment names it")


def made_words():
    words = set()
    for where, dirs, files in os.walk(TOP):
        dirs[:] = [d for d in dirs if d != "build" and d[0] != "."]
        for name in files:
            if name.endswith(".mk") or name == "Makefile.am":
                with open(os.path.join(where, name),
                          encoding="utf-8") as file:
                    words.update(file.read().split())
    return words


# A checker that finds nothing must be able to find something.
KEYS = 'STR(MM ".botToken", NULL, "x"), STR("nobodyReads", NULL, "x"), OBJ("a", "b")'
SAMPLE = ('#include "config.h"\n#include <curl/curl.h>\n'
          '#include "workers/store/db.h"\nint x(void)\n{\n'
          '\t/* fork() */ char *s = "system()";\n\treturn fork() + '
          'getpwnam(s) + strcpy(s, s) + a.connect(s) + connect(s);\n}\n')
EXPECTED = 6
SAMPLE_APART = '#include "config.h"\n#include "workers/account/account.h"\n'
LONG = "int x(void)\n{\n" + 101 * "\tf();\n" + "}\n" + 500 * "\n"
LONG_PY = "def f():\n" + 101 * "    g()\n" + 500 * "\n"
EXPECTED_LONG = 4
SILENT = ("/* x */\n#ifndef X_H\n#define X_H\n\nint said(void); /* x */\n"
          "\n/* Both. */\nint one(void);\nstruct x *two(int);\n\n"
          "struct x *three(\n    int);\n\n#endif\n")
EXPECTED_SILENT = 1


def check_text(path, text):
    check_sizes(path, text)
    if path.endswith(".py"):
        return
    check_includes(path, text)
    check_calls(path, code_of(text))
    check_header(path, text)
    check_promises(path, text)


def main():
    check_text("workers/account/sample.c", SAMPLE)
    check_includes(APART[0] + "sample.c", SAMPLE_APART)
    check_sizes("tests/sample.c", LONG)
    check_text("tests/sample.py", LONG_PY)
    check_text("common/sample.h", SILENT)
    words = read_words()
    check_keys(KEYS, words)
    made = made_words()
    check_dist("common/sample.h", made)
    pages = manuals()
    check_variables("common/sample.c", 'getenv("NOBODY_SETS_IT")', pages)
    if len(problems) != EXPECTED + EXPECTED_LONG + EXPECTED_SILENT + 4:
        print("the checker is broken:", *problems, sep="\n")
        return 1
    del problems[:]
    count = 0
    for path, full in sources():
        with open(full, encoding="utf-8") as file:
            text = file.read()
            check_text(path, text)
            check_dist(path, made)
            if not path.startswith("tests/"):
                check_variables(path, text, pages)
            if path == "daemon/config_keys.c":
                check_keys(text, words)
        count += 1
    check_manuals()
    print(*problems, sep="\n")
    print("%d files, %d problems" % (count, len(problems)))
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
