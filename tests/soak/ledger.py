"""Who was answered: every message exactly once, in order where one person
talks to one bot. Looks at the server's posts, from the oldest open question
on, again and again; what was answered long ago is kept as a number only."""

import time

from people import MUST, TAG

SETTLED = 150  # s after it was asked: longer than all faults together


class Ledger:
    def __init__(self, soak, people):
        self.soak = soak
        self.people = people
        self.bots = {b.name for b in soak.bots}
        self.from_seq = 0
        self.done = {}       # tag -> id of the answer: settled
        self.order = {}      # channel -> seqs of the last (question, answer)
        self.jobs = {}       # cron text -> posts
        self.latency = []
        self.problems = {}   # text -> s after the start
        self.n_settled = 0

    def problem(self, text, *args):
        self.problems.setdefault(text % args, self.soak.elapsed())

    def look(self):
        """All posts that may still matter; called now and then."""
        posts = self.soak.posts(self.from_seq)
        if posts is None:
            return
        asked, answers, first = {}, {}, {}
        for p in posts:
            tags = TAG.findall(p["post"]["message"])
            if p["post"]["delete_at"]:
                continue
            if p["username"] in self.bots:
                self.answer(p, tags, answers)
            elif tags:
                asked.setdefault(int(tags[-1]), []).append(p)
        for n, found in asked.items():
            first[n] = found[0]
        self.settle(asked, answers, first)
        open_seqs = [first[n]["seq"] for n in first
                     if n in self.people.asked]
        # What is open has its answer behind it; what has no post of its own
        # (hooks and the like) was asked when these were.
        horizon = [p["seq"] for p in posts
                   if p["post"]["create_at"] / 1000 <
                   time.time() - SETTLED - 30]
        low = min(open_seqs + [horizon[-1] if horizon else self.from_seq + 1])
        self.from_seq = max(self.from_seq, low - 1)

    def answer(self, p, tags, answers):
        message = p["post"]["message"]
        for job in self.soak.jobs:
            if message.endswith(job):
                self.jobs.setdefault(job, set()).add(p["post"]["id"])
        if not tags:
            return
        n = int(tags[-1])  # context stands before what was said
        answers.setdefault(n, []).append(p)
        if n in self.done and self.done[n] != p["post"]["id"]:
            self.problem("soak%dx is answered once more, later", n)

    def settle(self, asked, answers, first):
        now = time.monotonic()
        with self.people.lock:
            waiting = list(self.people.asked.items())
        for n, a in waiting:
            got = answers.get(n, [])
            # Twice when its author's client had to send it twice.
            want = len(asked.get(n, ()))
            if a.kind in MUST:
                want = 1 if a.sure else min(1, len(got))
            # A second answer may still come.
            least = 10 if self.soak.ending else 30
            if now - a.at >= SETTLED or (
                    len(got) >= want and now - a.at >= least):
                self.judge(n, a, want, got, first.get(n))

    def judge(self, n, a, want, got, question):
        if len(got) != want:
            self.problem("soak%dx (%s, asked at %.0f s): %d answers, not %d",
                         n, a.kind, a.at - self.soak.begun, len(got), want)
        if any(p["post"]["channel_id"] != a.channel for p in got):
            self.problem("soak%dx (%s) is answered elsewhere", n, a.kind)
        if got and question is not None:
            self.latency.append(got[0]["post"]["create_at"] -
                                question["post"]["create_at"])
            if a.kind in ("dm", "file") and want == 1 and len(got) == 1:
                self.in_order(n, a.channel, question["seq"], got[0]["seq"])
        with self.people.lock:
            del self.people.asked[n]
        self.n_settled += 1
        if got:
            self.done[n] = got[0]["post"]["id"]

    def in_order(self, n, channel, question, answer):
        pairs = self.order.setdefault(channel, [])
        pairs.append((question, answer))
        pairs.sort()
        if any(a[1] > b[1] for a, b in zip(pairs, pairs[1:])):
            self.problem("soak%dx is answered out of its order", n)
        del pairs[:-50]

    def open(self):
        with self.people.lock:
            return len(self.people.asked)
