"""From the start of posternd, its store empty, to one account connected."""

from stage import Base, Figure, Ours, Stage, median


def run(options):
    ours, base = [], []
    with Stage(1, 1) as s:
        ours.append(s.ours.start_ms)
        base.append(s.base.start_ms)
        for _ in range(2 * options.repeat):
            s.ours.close()
            s.ours = Ours(s.config(s.ours_bots), 1).start()
            ours.append(s.ours.start_ms)
            s.base.close()
            s.base = Base(s.server, s.base_bots, False)
            base.append(s.base.start_ms)
    yield Figure("start_ms", median(ours), "ms", median(base), 200)
