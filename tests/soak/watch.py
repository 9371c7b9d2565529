"""Samples of memory, descriptors and the database, and what they say: what
is flat, and what grows."""

import os
import statistics
import time

import proc

MEMORY_PCT = 5       # of all processes' own memory: last third over middle
ROLE_PCT, ROLE_MB = 15, 0.5   # of one kind of process, whichever is more
FDS = 1              # more descriptors at rest, of one kind of process,
TCP = 4              # beside its connections, of which this many for each
TCP_PCT = 50         # process, and so much: those that are kept for the next
                     # request, as many as the last burst needed
LEAST = 300          # s of samples, to say anything about memory


def tcp_inodes():
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name) as f:
                found |= {"socket:[%s]" % line.split()[9]
                          for line in list(f)[1:]}
        except OSError:
            pass
    return found


def descriptors(pid, tcp):
    """(without connections, connections)"""
    n = [0, 0]
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            n[os.readlink("/proc/%d/fd/%s" % (pid, fd)) in tcp] += 1
        except OSError:
            pass
    return n


class Sample:
    def __init__(self, at, postern):
        self.at = at
        # name -> [processes, own MB, PSS MB, descriptors, connections]
        self.roles = {}
        tcp = tcp_inodes()
        for pid in postern.children():
            try:
                m = proc.Memory(pid)
                fds = descriptors(pid, tcp)
            except (OSError, KeyError):
                continue  # it has just ended
            r = self.roles.setdefault(m.name, [0, 0.0, 0.0, 0, 0])
            for i, more in enumerate((1, m.anonymous, m.proportional, *fds)):
                r[i] += more
        store = postern.config["store"]["path"]
        self.db = sum(os.path.getsize(os.path.join(store, f))
                      for f in os.listdir(store)
                      if f.startswith("postern.db"))

    def count(self):
        return sum(r[0] for r in self.roles.values())

    def own(self):
        return sum(r[1] for r in self.roles.values())

    def pss(self):
        return sum(r[2] for r in self.roles.values())


def slope(samples):
    """MB of own memory an hour, by least squares."""
    x = [s.at / 3600 for s in samples]
    y = [s.own() for s in samples]
    mx, my = statistics.mean(x), statistics.mean(y)
    below = sum((a - mx) ** 2 for a in x)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / below


class Watch:
    def __init__(self, postern, begun):
        self.postern = postern
        self.begun = begun
        self.samples = []

    def look(self):
        s = Sample(time.monotonic() - self.begun, self.postern)
        self.samples.append(s)
        return s

    def thirds(self):
        """Samples with all processes there, in three parts of the time."""
        most = max(s.count() for s in self.samples)
        whole = [s for s in self.samples if s.count() == most]
        end = self.samples[-1].at
        return [[s for s in whole if end * i / 3 <= s.at <= end * (i + 1) / 3]
                for i in range(3)]

    def verdict(self):
        """Lines of a table, and what is wrong."""
        parts = self.thirds()
        if not all(parts):
            return ["too few samples"], []
        _, middle, last = parts
        wrong, rows = [], []
        long_enough = self.samples[-1].at >= LEAST
        rows.append("%-16s %6s %20s %20s %20s" % (
            "process", "number", "own MB, by thirds", "descriptors",
            "connections"))
        for name in sorted(last[-1].roles):
            mb = [statistics.median(s.roles[name][1] for s in p)
                  for p in parts]
            fds, tcp = ([min(s.roles[name][i] for s in p) for p in parts]
                        for i in (3, 4))
            rows.append("%-16s %6d %20s %20s %20s" % (
                name, last[-1].roles[name][0],
                " ".join("%.2f" % x for x in mb),
                " ".join("%d" % x for x in fds),
                " ".join("%d" % x for x in tcp)))
            bound = max(mb[1] * ROLE_PCT / 100, ROLE_MB)
            if long_enough and mb[2] - mb[1] > bound:
                wrong.append("%s grows by %.2f MB" % (name, mb[2] - mb[1]))
            if long_enough and fds[2] - fds[1] > FDS:
                wrong.append("%s keeps %d more descriptors" % (
                    name, fds[2] - fds[1]))
            if long_enough and tcp[2] > tcp[1] * (
                    1 + TCP_PCT / 100) + TCP * last[-1].roles[name][0]:
                wrong.append("%s keeps %d more connections" % (
                    name, tcp[2] - tcp[1]))
        own = [statistics.median(s.own() for s in p) for p in parts]
        pss = [statistics.median(s.pss() for s in p) for p in parts]
        grown = 100 * (own[2] - own[1]) / own[1]
        rows.append("all: own %s MB, proportional %s MB; %+.1f %% in the "
                    "last third (%+.2f MB an hour), database %.1f MB" % (
                        " ".join("%.2f" % x for x in own),
                        " ".join("%.2f" % x for x in pss), grown,
                        slope(middle + last),
                        self.samples[-1].db / 1e6))
        if not long_enough:
            rows.append("too short to say whether memory is flat")
        elif grown > MEMORY_PCT:
            wrong.append("memory grows by %.1f %%" % grown)
        return rows, wrong
