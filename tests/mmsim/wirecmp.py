"""Comparison of an answer with the capture of a real server's answer.

What may differ is told from what may not: ids are mapped (the first time a
captured id meets one of ours they are bound together, from then on it must
be the same), times only have to be times, a few members are volatile.
Everything else - keys and their order, types, texts, numbers - must be equal.
"""

import json
import re

ID = re.compile(r"^[a-z0-9]{26}$")
ID_IN = re.compile(r"(?<![a-z0-9])[a-z0-9]{26}(?![a-z0-9])")
TIME_MIN = 10 ** 12
VOLATILE = {"request_id", "cookie", "server_version", "invite_id", "trigger_id",
            "server_time"}
JSON_IN_TEXT = {"post", "mentions", "reaction", "channel", "teammate_ids",
                "member", "preferences"}
AS_SETS = {"mentions", "teammate_ids"}


class Differs(AssertionError):
    pass


class Ids:
    """Captured id -> ours."""

    def __init__(self):
        self.map = {}

    def bind(self, captured, ours):
        self.map[captured] = ours

    def translate(self, text):
        """A captured text in our ids; unknown ids stay as they are."""
        return ID_IN.sub(lambda m: self.map.get(m.group(0), m.group(0)),
                         text)

    def unknown(self, text):
        return [i for i in ID_IN.findall(text)
                if i not in self.map and i not in self.map.values()]

    def same(self, captured, ours, where):
        if captured not in self.map:
            self.map[captured] = ours
        elif self.map[captured] != ours:
            raise Differs("%s: id %s should be %s, is %s" % (
                where, captured, self.map[captured], ours))


def kind(v):
    if isinstance(v, bool):
        return "bool"
    if isinstance(v, (int, float)):
        return "number"
    return type(v).__name__


def compare(cap, got, ids, where="", key=None):
    if key in VOLATILE:
        if kind(cap) != kind(got):
            raise Differs("%s: %r became %r" % (where, cap, got))
        return
    if kind(cap) != kind(got):
        raise Differs("%s: %r became %r" % (where, cap, got))
    if isinstance(cap, dict):
        compare_dict(cap, got, ids, where)
    elif isinstance(cap, list):
        compare_list(cap, got, ids, where, key)
    elif isinstance(cap, str):
        compare_str(cap, got, ids, where, key)
    elif kind(cap) == "number":
        if cap >= TIME_MIN and got >= TIME_MIN:
            return
        if cap != got:
            raise Differs("%s: %r became %r" % (where, cap, got))
    elif cap != got:
        raise Differs("%s: %r became %r" % (where, cap, got))


def compare_dict(cap, got, ids, where):
    if any(ID.match(k) for k in cap):  # keyed by ids: no order
        for k, v in cap.items():
            k2 = ids.map.get(k, k)
            if k2 not in got:
                raise Differs("%s: no %s in %s" % (where, k2, list(got)))
            compare(v, got[k2], ids, "%s/%s" % (where, k2), k)
        if len(cap) != len(got):
            raise Differs("%s: %d entries became %d" % (
                where, len(cap), len(got)))
        return
    if list(cap) != list(got):
        raise Differs("%s: keys %s became %s" % (where, list(cap), list(got)))
    for k, v in cap.items():
        compare(v, got[k], ids, "%s/%s" % (where, k), k)


def compare_list(cap, got, ids, where, key):
    if len(cap) != len(got):
        raise Differs("%s: %d entries became %d: %r" % (
            where, len(cap), len(got), got))
    if key in AS_SETS:
        want = set(ids.map.get(x, x) for x in cap)
        if want != set(got):
            raise Differs("%s: %s became %s" % (where, want, set(got)))
        return
    for i, v in enumerate(cap):
        compare(v, got[i], ids, "%s/%d" % (where, i))


def compare_str(cap, got, ids, where, key):
    if key in JSON_IN_TEXT and cap[:1] in "{[" and cap:
        compare(json.loads(cap), json.loads(got), ids, where + "~", key)
    elif ID.match(cap) and ID.match(got):
        ids.same(cap, got, where)
    elif key == "name" and re.match(r"^[0-9a-f]{40}$", cap):
        if not re.match(r"^[0-9a-f]{40}$", got):
            raise Differs("%s: %r became %r" % (where, cap, got))
    elif key == "channel_name" and re.match(r"^[0-9a-f]{40}$", cap):
        if not re.match(r"^[0-9a-f]{40}$", got):
            raise Differs("%s: %r became %r" % (where, cap, got))
    elif "__" in cap and ID_IN.search(cap.replace("_", " ")):
        # A direct channel's name: its halves are sorted by id.
        want = sorted(ids.map.get(x, x) for x in cap.split("__"))
        if want != got.split("__"):
            raise Differs("%s: %r became %r" % (where, want, got))
    elif ids.translate(cap) != got:
        raise Differs("%s: %r became %r" % (where, ids.translate(cap), got))
