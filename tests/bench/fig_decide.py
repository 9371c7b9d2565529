"""The decision about a typical post, beside the decoding of its event."""

import os
import subprocess

from stage import BUILD, Figure, median


def run(options):
    program = os.path.join(BUILD, "tests", "bench", "decide")
    decide, decode = [], []
    for _ in range(options.repeat):
        a, b = subprocess.run([program], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.split()
        decide.append(float(a))
        decode.append(float(b))
    yield Figure("decide_us", median(decide), "us", median(decode), 20)
