"""posternctl message send to a known channel, from its start to its end; the
floor is the server's own time for such a post, on a connection that is open."""

import time

from stage import Figure, Stage, median


def run(options):
    ours, base, over = [], [], []
    with Stage(1, 1, floor=False) as s:
        channel = s.ours_channels[0][0]
        api = s.ours_bots[0].api
        s.ours.ctl("message", "send", "-t", "channel:" + channel, "-m", "x")
        for i in range(20 * options.repeat):
            t0 = time.monotonic()
            s.ours.ctl("message", "send", "-t", "channel:" + channel, "-m",
                       "message %d" % i)
            t1 = time.monotonic()
            api.post("/posts", {"channel_id": channel,
                                "message": "floor %d" % i})
            base.append((time.monotonic() - t1) * 1000)
            ours.append((t1 - t0) * 1000)
            over.append(ours[-1] - base[-1])
    yield Figure("send_ms", median(over), "ms", median(base), 10)
