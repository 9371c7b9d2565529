"""Whether time tells how much of a token, or of a signature, was right."""

import os
import subprocess

from mattermost import BUILD

COMPARISONS = os.environ.get("POSTERN_TEST_COMPARISONS", "100000")
TOOL = os.path.join(BUILD, "tests", "bench", "callbacks")
LEAKS = 4.5  # |t| of Welch's test


def test_time_tells_nothing():
    out = subprocess.run([TOOL, "timing", COMPARISONS], check=True, text=True,
                         capture_output=True, timeout=900).stdout
    ours, plain = map(float, out.split())
    print("t", ours, "and of a plain comparison", plain)
    assert plain > LEAKS, "a difference could not be seen here: " + out
    assert ours < LEAKS, out
