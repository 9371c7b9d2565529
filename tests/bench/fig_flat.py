"""Memory over a hundred thousand posts to one account, of which one in ten
is answered: how far it gets from where it was after a warm-up.

For the first 30,000 posts the heaps of the store and of the account find
their shape (0.3 MB: the index of the WAL, holes between what is in use);
after that they stay.

What processes share (programs, libraries) is counted once, after the warm-up:
it cannot grow, and others on the machine that use the same libraries would
change everyone's part of it."""

import sys
import time

import proc
from stage import Figure, Stage

CHATTER = 9  # posts that are not answered, for one that is
WARM = 3     # steps
STEPS = 10   # looks, after those


def looks(options):
    n = options.channels
    rounds = max(1, options.posts // (STEPS * n * (CHATTER + 1)))
    with Stage(1, n, floor=False) as s:
        for _ in range(WARM + STEPS):
            s.ask(s.ours, rounds, chatter=CHATTER)
            time.sleep(options.settle)
            yield proc.memory(s.ours.children())


def own(processes):
    return sum(p.anonymous for p in processes)


def details(found):
    """For people: all of it at each look, and who has grown."""
    print("flat: " + " ".join("%.2f" % own(f) for f in found) +
          " MB of their own", file=sys.stderr)
    for a, b in zip(found[WARM - 1], found[-1]):
        print("flat: %-16s %6.2f MB, of it its own %.2f MB, then %.2f MB "
              "(%+.2f)" % (a.name, a.proportional, a.anonymous, b.anonymous,
                           b.anonymous - a.anonymous), file=sys.stderr)


def run(options):
    found = list(looks(options))
    if None in found:
        print("memory: only root can see it", file=sys.stderr)
        yield Figure("mem_flat_pct", None, "%")
        return
    details(found)
    warm = found[WARM - 1]
    worst = max(abs(own(f) - own(warm)) for f in found[WARM:])
    yield Figure("mem_flat_pct",
                 100 * worst / sum(p.proportional for p in warm), "%", None,
                 2)
