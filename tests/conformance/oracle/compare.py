"""Runs sequences on both servers and keeps the tally."""

import collections
import contextlib
import random
import re
import time

import differences
import generated
import sequences
import servers
from pair import Pair


class Report:
    def __init__(self, show=60, messages=False):
        self.show, self.messages = show, messages
        self.requests = self.same = 0
        self.wrong = []
        self.meant = collections.Counter()
        self.kinds = collections.Counter()

    def exchange(self, x):
        self.requests += 1
        if x.ours.status >= 500 and x.ours.status != 501 or x.ours.status == 0:
            x.differences.append("a 5xx, or no answer, here")
            self._add(x)
        elif not x.differences:
            self.same += 1
        elif x.apart:
            self.meant["afterwards, about the same run, logged model or webhook"] += 1
        elif name := differences.meant(x):
            self.meant[name] += 1
        else:
            self._add(x)
        if self.messages and x.theirs.status >= 400 and x.theirs.message != x.ours.message:
            print(f"MESSAGE [{x.sequence}] {x.operation}\n  mlflow {x.theirs.message[:300]!r}\n  cairn  {x.ours.message[:300]!r}")

    def _add(self, x):
        """Of those that are alike the first is printed."""
        self.wrong.append(x)
        kind = (x.sequence, re.sub(r"⟦\d+⟧", "", x.operation), x.note,
                "".join(d if d.startswith(("status", "error")) else re.sub(r"\d+", "", d.split(": ")[0]) for d in x.differences))
        self.kinds[kind] += 1
        if self.kinds[kind] == 1 and len(self.kinds) <= self.show:
            print(f"DIFFERS {x}", flush=True)

    def summary(self):
        lines = [f"{self.requests} requests to both, {self.same} answered alike, {sum(self.meant.values())} meant to differ, {len(self.wrong)} differ, in {len(self.kinds)} ways"]
        lines += [f"{n:7} {name}" for name, n in self.meant.most_common()]
        return "\n".join(lines)


@contextlib.contextmanager
def both(theirs=None, ours=None, database=None):
    """The addresses of both servers, started unless they are given."""
    with contextlib.ExitStack() as stack:
        if not theirs:
            reference = servers.Reference(database)
            stack.callback(reference.close)
            theirs = f"http://127.0.0.1:{reference.port}"
        if not ours:
            ours = stack.enter_context(servers.cairn()).url
        yield theirs, ours


def written(pair, only):
    for name, sequence in sequences.load().items():
        if not only or any(word in name for word in only):
            pair.sequence = name
            sequence(pair)


def run(args):
    report = Report(args.show, args.messages)
    with both(args.mlflow, args.cairn, args.database) as (theirs, ours):
        pair = Pair(theirs, ours, report.exchange)
        if not args.generated:
            written(pair, args.only)
        if not args.only:
            until = time.monotonic() + args.minutes * 60 if args.minutes else None
            print(f"seed {args.seed}", flush=True)
            generated.searches(pair, random.Random(args.seed), until)
    return report
