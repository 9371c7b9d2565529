#!/bin/sh
# The rules of the tree; skipped where there is no Python.
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec python3 "$srcdir/tests/check_tree.py"
