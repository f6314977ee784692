"""The search for an order of a register's operations in plain Python: twice, as one would write it.

`PlainSearch` makes the very steps of the compiled search, from the operations to the verdict: lanes, packed
sets of what is placed, the four rules, a memory of configurations. `Textbook` is what the literature has, and
most checkers: entries of calls and returns in a linked list, lifted and put back, and a memory of
configurations (Wing & Gong 1993, Lowe 2017), with none of the rules.
"""

from typing import NamedTuple

NEVER = float("inf")
ANY, KEEP, REFUSED = object(), object(), object()


class Answer(NamedTuple):
    holds: bool | None
    steps: int


def rule(asked, told):
    """Return the value that an operation compares with, and what it makes of the register in either case."""
    name, *given = asked
    if name == "read":
        return (ANY, KEEP, REFUSED) if told is None else (_value(told), KEEP, REFUSED)
    if name == "write":
        return ANY, given[0], REFUSED
    old, new = given
    if not isinstance(told, int):
        return old, new, KEEP
    return (old, new, REFUSED) if told else (old, REFUSED, KEEP)


def _value(told):
    """Return None for NIL, and any other value as it is."""
    return None if told == None else told  # noqa: E711 - NIL equals None and is not it


def is_steady(found):
    """Tell whether an operation of this rule never changes a register."""
    when, then, otherwise = found
    return (then in (KEEP, REFUSED) or then == when) and otherwise in (KEEP, REFUSED)


class PlainSearch:
    """The compiled search, in plain Python."""

    def __init__(self, operations, start=None):
        self.start = start
        rules = [rule(each.input, each.output) for each in operations]
        returns = [NEVER if each.return_s is None else each.return_s for each in operations]
        lanes = self._lanes(operations, rules, returns)
        order = [place for lane in lanes for place in [*lane, None]]
        self.call = [NEVER + 0 if place is None else operations[place].call_s for place in order]
        self.is_end = [place is None for place in order]
        self.returned = [NEVER if place is None else returns[place] for place in order]
        self.rules = [None if place is None else rules[place] for place in order]
        self.steady = [
            place is not None and returns[place] != NEVER and is_steady(rules[place]) for place in order
        ]
        self.ahead, self.unit = [], []
        first = bit = 0
        for lane in lanes:
            self.ahead.append(first)
            self.unit.append(1 << bit)
            first += len(lane) + 1
            bit += len(lane).bit_length()

    def _lanes(self, operations, rules, returns):
        """Lay out operations in chains, by their calls; those alike that never returned in one."""
        lanes, ends, owners, alike = [], [], [], {}
        for place, operation in enumerate(operations):
            if returns[place] == NEVER and is_steady(rules[place]):
                continue
            own = owners.index(operation.process) if operation.process in owners else -1
            follows_at_once = own >= 0 and ends[own] == operation.call_s
            if returns[place] == NEVER and not follows_at_once:
                alike.setdefault(rules[place], []).append(place)
                continue
            free = (lane for lane, end in enumerate(ends) if end < operation.call_s)
            lane = own if own >= 0 else next(free, len(lanes))
            if lane == len(lanes):
                lanes.append([])
                ends.append(None)
                owners.append(None)
            lanes[lane].append(place)
            ends[lane], owners[lane] = returns[place], operation.process
        self.solid = len(lanes)
        return [*lanes, *alike.values()]

    def run(self, max_steps=NEVER):  # noqa: C901, PLR0912, PLR0915 - one loop, as the kernel's
        """Return whether it holds, and the steps."""
        call, returned, rules, is_end = self.call, self.returned, self.rules, self.is_end
        ahead, unit, count, solid = self.ahead[:], self.unit, len(self.ahead), self.solid
        left = sum(time != NEVER for time in returned)
        state, key, steps, lane = self.start, 0, 0, 0
        low = min((returned[place] for place in ahead), default=NEVER)
        stack, visited, fresh, only, any_steady = [], set(), True, False, any(self.steady)
        while left:
            if steps >= max_steps:
                return Answer(None, steps)
            if fresh:
                lane, only = self._steady_lane(ahead, state, low) if any_steady else (0, False)
                fresh = False
            found = False
            without = ANY
            if stack and returned[ahead[stack[-1][0]] - 1] == NEVER:
                without = stack[-1][1]
            while lane < count:
                place = ahead[lane]
                if call[place] <= low and not is_end[place]:
                    steps += 1
                    when, then, otherwise = rules[place]
                    after = then if when is ANY or when == state else otherwise
                    if after is KEEP:
                        after = state
                    idle = after is REFUSED or (after == state and returned[place] == NEVER)
                    if without is not ANY and not idle:
                        other = then if when is ANY or when == without else otherwise
                        idle = after == (without if other is KEEP else other)
                    if not idle:
                        configuration = key + unit[lane], after
                        if configuration not in visited:
                            visited.add(configuration)
                            found = True
                            break
                if only:
                    break
                lane += 1
            if found:
                stack.append((lane, state, low, only))
                key, state = configuration
                ahead[lane] += 1
                left -= returned[place] != NEVER
                if returned[place] == low:
                    low = min([returned[each] for each in ahead[:solid]], default=NEVER)
                fresh, only = True, False
                continue
            if not stack:
                return Answer(False, steps)
            lane, state, low, only = stack.pop()
            ahead[lane] -= 1
            key -= unit[lane]
            left += returned[ahead[lane]] != NEVER
            lane = count if only else lane + 1
            only = False
        return Answer(True, steps)

    def _steady_lane(self, ahead, state, low):
        steady, call, rules = self.steady, self.call, self.rules
        for lane in range(self.solid):
            place = ahead[lane]
            if steady[place] and call[place] <= low:
                when, then, otherwise = rules[place]
                if (then if when is ANY or when == state else otherwise) is not REFUSED:
                    return lane, True
        return 0, False


class Entry:
    """A call or a return, between its neighbours in time."""

    __slots__ = ("back", "bit", "match", "next", "rule")


class Textbook:
    """The search of the literature."""

    def __init__(self, operations, start=None):
        self.start = start
        events = []
        for number, each in enumerate(operations):
            events.append((each.call_s, 0, number))
            events.append((NEVER if each.return_s is None else each.return_s, 1, number))
        self.head = last = Entry()
        calls = {}
        for _, is_return, number in sorted(events):
            entry = Entry()
            entry.bit, entry.match, entry.next, entry.back = 1 << number, None, None, last
            if is_return:
                calls[number].match = entry
            else:
                entry.rule = rule(operations[number].input, operations[number].output)
                calls[number] = entry
            last.next = last = entry
        self.must = sum(each.return_s is not None for each in operations)
        self.never = {1 << number for number, each in enumerate(operations) if each.return_s is None}

    def run(self, max_steps=NEVER):
        """Return whether it holds, and the steps."""
        head, state, placed, steps, left = self.head, self.start, 0, 0, self.must
        stack, visited, entry = [], set(), head.next
        while left:
            if steps >= max_steps:
                return Answer(None, steps)
            if entry is not None and entry.match is not None:
                steps += 1
                when, then, otherwise = entry.rule
                after = then if when is ANY or when == state else otherwise
                if after is KEEP:
                    after = state
                configuration = placed | entry.bit, after
                if after is REFUSED or configuration in visited:
                    entry = entry.next
                    continue
                visited.add(configuration)
                stack.append((entry, state))
                placed, state = configuration
                left -= entry.bit not in self.never
                _lift(entry)
                entry = head.next
                continue
            if not stack:
                return Answer(False, steps)
            entry, state = stack.pop()
            placed ^= entry.bit
            left += entry.bit not in self.never
            _put_back(entry)
            entry = entry.next
        return Answer(True, steps)


def _lift(entry):
    for each in (entry, entry.match):
        each.back.next = each.next
        if each.next is not None:
            each.next.back = each.back


def _put_back(entry):
    for each in (entry.match, entry):
        each.back.next = each
        if each.next is not None:
            each.next.back = each
