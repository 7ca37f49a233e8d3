"""What callgrind wrote down about a piece of a run: costs of functions and of their calls, for one thread."""
import collections
import re

_ALLOCATORS = re.compile(r"^(malloc|calloc|realloc|memalign|aligned_alloc|posix_memalign|valloc)(@.*)?$")
_OPERATOR_NEW = re.compile(r"^operator new")


class Profile:
    """`self_cost[function]`: instructions of its own; `arcs[caller, callee]`: [calls, instructions of the callee and all below]."""

    def __init__(self, file):
        self.self_cost = collections.Counter()
        self.arcs = collections.defaultdict(lambda: [0, 0])
        self._read(file)

    def _read(self, path):
        names = {}

        def name(text):
            # A name stands where it comes first, afterwards its number alone.
            number, _, full = text.partition(" ")
            return names.setdefault(number, full)

        function = callee = calls = None
        with open(path, errors="replace") as file:
            for line in file:
                if line.startswith("fn="):
                    function = name(line[3:].rstrip("\n"))
                elif line.startswith("cfn="):
                    callee = name(line[4:].rstrip("\n"))
                elif line.startswith("calls="):
                    calls = int(line[6:].split()[0])
                elif line[0] in "0123456789+-*":
                    cost = int(line.split()[1])
                    if calls is None:
                        self.self_cost[function] += cost
                        continue
                    arc = self.arcs[function, callee]
                    arc[0] += calls
                    arc[1] += cost
                    calls = None

    @property
    def instructions(self):
        return sum(self.self_cost.values())

    def inclusive(self, callee, caller=""):
        """(calls, instructions) of the functions that match, called by functions that match; patterns as of re.search."""
        callee, caller = re.compile(callee), re.compile(caller)
        found = [arc for (by, to), arc in self.arcs.items() if callee.search(to) and caller.search(by)]
        return sum(arc[0] for arc in found), sum(arc[1] for arc in found)

    def parts_below(self, stages):
        """{function: which part of its inclusive cost the calls [(callee, caller)] below it are}, patterns as of re.search."""
        stages = [(re.compile(callee), re.compile(caller)) for callee, caller in stages]
        calls = collections.defaultdict(list)
        for (by, to), (_, cost) in self.arcs.items():
            calls[by].append((to, cost, any(callee.search(to) and caller.search(by) for callee, caller in stages)))
        parts = {}

        def part(function):
            if function not in parts:
                parts[function] = 0.0  # what comes around again is counted where it began
                whole = self.self_cost[function] + sum(cost for _, cost, _ in calls[function])
                below = sum(cost * (1.0 if counted else part(to)) for to, cost, counted in calls[function])
                parts[function] = below / whole if whole else 0.0
            return parts[function]

        for function in list(calls):
            part(function)
        return parts

    def allocations(self):
        """{who asked for memory: how often}. `operator new` is no answer: who called it is."""
        asked = collections.Counter()
        for (by, to), (calls, _) in self.arcs.items():
            if _ALLOCATORS.match(to) and not _ALLOCATORS.match(by) and not _OPERATOR_NEW.match(by):
                asked[by] += calls
            elif _OPERATOR_NEW.match(to) and not _OPERATOR_NEW.match(by):
                asked[by] += calls
        return asked

    def dearest(self, count):
        """The functions with most instructions of their own: [(function, calls, own, inclusive)]."""
        calls, inclusive = collections.Counter(), collections.Counter()
        for (_, to), arc in self.arcs.items():
            calls[to] += arc[0]
            inclusive[to] += arc[1]
        return [(name, calls[name], own, inclusive[name]) for name, own in self.self_cost.most_common(count)]
