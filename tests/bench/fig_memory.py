"""Memory with 1, 10 and 50 accounts that talk to a model, after some turns:
all processes together, and what each further account takes."""

import sys
import time

import proc
from stage import Figure, Stage

SETTLE = 2  # what a burst took is given back within


def measure(n):
    with Stage(n, n, model=True) as s:
        for side in (s.ours, s.base):
            s.ask(side, 10)
        time.sleep(SETTLE)
        return (proc.memory(s.ours.children()),
                proc.memory(s.base.children()))


def proportional(processes):
    return sum(p.proportional for p in processes)


def private(processes):
    return sum(p.private for p in processes)


def details(n, processes):
    """For people: each kind of process, the largest of it."""
    worst = {}
    for p in processes:
        if p.name not in worst or p.private > worst[p.name].private:
            worst[p.name] = p
    for name, p in sorted(worst.items()):
        print("%2d accounts: %-16s %6.2f MB private %6.2f MB proportional"
              % (n, name, p.private, p.proportional), file=sys.stderr)


def run(options):
    got = {n: measure(n) for n in options.sizes}
    if any(ours is None for ours, _ in got.values()):
        print("memory: only root can see it", file=sys.stderr)
        for name in ("mem_all_mb", "mem_account_mb"):
            yield Figure(name, None, "MB")
        return
    for n, (ours, _) in got.items():
        details(n, ours)
    few, mid, most = options.sizes
    yield Figure("mem_all_mb", proportional(got[few][0]), "MB",
                 proportional(got[few][1]), 25)

    def each(side, a, b):
        return (private(got[b][side]) - private(got[a][side])) / (b - a)

    yield Figure("mem_account_mb", each(0, few, most), "MB",
                 each(1, few, most), 3)
    yield Figure("mem_account_%d_mb" % mid, each(0, few, mid), "MB",
                 each(1, few, mid), 3)
    # Nothing quadratic: the last forty take each what the first nine took.
    yield Figure("mem_growth", each(0, mid, most) / each(0, few, mid), "",
                 None, 1.25)
    for n in (mid, most):
        yield Figure("mem_all_%d_mb" % n, proportional(got[n][0]), "MB",
                     proportional(got[n][1]))
