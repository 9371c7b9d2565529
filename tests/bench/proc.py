"""Time and memory of processes, from /proc."""

import os


def cpu_ms(pids):
    """Time on a processor so far, all threads."""
    total = 0
    for pid in pids:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
                total += int(f.read().split()[0])
    return total / 1e6


def name(pid):
    with open("/proc/%d/comm" % pid) as f:
        return f.read().strip()


class Memory:
    """Of one process, in MB; None when only root may know."""

    def __init__(self, pid):
        kb = {}
        with open("/proc/%d/smaps_rollup" % pid) as f:
            for line in f:
                key, _, rest = line.partition(":")
                if rest.endswith("kB\n"):
                    kb[key] = int(rest.split()[0])
        self.name = name(pid)
        self.proportional = kb["Pss"] / 1024
        self.anonymous = kb["Pss_Anon"] / 1024
        self.private = (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024


def memory(pids):
    try:
        return [Memory(p) for p in pids]
    except PermissionError:
        return None
