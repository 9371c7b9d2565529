"""As many turns of the echo agent as there can be, and what one costs."""

import proc
from stage import Figure, Stage, median


def one(s, side, rounds):
    pids = side.children()
    before = proc.cpu_ms(pids)
    r = s.ask(side, rounds)
    cpu = proc.cpu_ms(pids) - before
    return r["per_second"], cpu / r["turns"]


def run(options):
    ours, base = [], []
    with Stage(options.accounts, options.channels) as s:
        for side in (s.ours, s.base):
            s.ask(side, 1)
        for _ in range(options.repeat):
            ours.append(one(s, s.ours, options.rounds))
            base.append(one(s, s.base, options.rounds))
    rate, floor = (median([x[0] for x in side]) for side in (ours, base))
    yield Figure("turns_per_s", rate, "1/s", floor, 1000, False)
    yield Figure("turns_of_floor", median(
        [a[0] / b[0] for a, b in zip(ours, base)]), "", None, 0.5, False)
    yield Figure("cpu_ms_per_turn", median([x[1] for x in ours]), "ms",
                 median([x[1] for x in base]))
