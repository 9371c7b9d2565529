"""As many turns of the echo agent as there can be, and what one costs.

The floor is one bare loop for all accounts. What is gained by a loop for each
account, side by side like Postern's workers, is told apart: nobody who keeps
a record of anything gets there."""

import proc
from stage import Base, Figure, Stage, median


def one(s, side, rounds):
    pids = side.children()
    before = proc.cpu_ms(pids)
    r = s.ask(side, rounds)
    cpu = proc.cpu_ms(pids) - before
    return r["per_second"], cpu / r["turns"]


def beside(s, options):
    """Runs in turn: (rate, CPU) of ours, of the floor."""
    ours, base = [], []
    for side in (s.ours, s.base):
        s.ask(side, 1)
    for _ in range(options.repeat):
        ours.append(one(s, s.ours, options.rounds))
        base.append(one(s, s.base, options.rounds))
    return ours, base


def of_floor(ours, base):
    return median([a[0] / b[0] for a, b in zip(ours, base)])


def run(options):
    with Stage(options.accounts, options.channels, each=False) as s:
        ours, base = beside(s, options)
        s.base.close()
        s.base = Base(s.server, s.base_bots, False)
        again, each = beside(s, options)
    rate, floor = (median([x[0] for x in side]) for side in (ours, base))
    yield Figure("turns_per_s", rate, "1/s", floor, 1000, False)
    yield Figure("turns_of_floor", of_floor(ours, base), "", None, 0.5, False)
    yield Figure("turns_each_of_floor", of_floor(again, each), "")
    yield Figure("cpu_ms_per_turn", median([x[1] for x in ours + again]),
                 "ms", median([x[1] for x in base]))
