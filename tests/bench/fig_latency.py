"""One question after another to a model that streams: from the event to the
model's whole request, and from its last byte to the whole answer. The stream
takes a while, so that there is a preview, as with a real model."""

from stage import Figure, Stage, median

TURNS = 200


def run(options):
    ours, base = [], []
    with Stage(1, 4, model=True) as s:
        s.server.model(chunks=8, chunk_delay_ms=10)
        rounds = max(1, min(TURNS, options.rounds * 2) // 4)
        for side in (s.ours, s.base):
            s.ask(side, 2, latency=True)  # connections are made
        for _ in range(options.repeat):
            ours.append(s.ask(s.ours, rounds, latency=True))
            base.append(s.ask(s.base, rounds, latency=True))

    def ms(reports, what, which):
        return median([r[what][which] for r in reports]) / 1000

    for name, what, which, target in (
            ("in_ms_p50", "in_us", "p50", 5),
            ("in_ms_p99", "in_us", "p99", None),
            ("out_ms_p50", "out_us", "p50", 15),
            ("out_ms_p99", "out_us", "p99", None)):
        yield Figure(name, ms(ours, what, which), "ms",
                     ms(base, what, which), target)
