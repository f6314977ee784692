"""Oracles: real Python objects, every order of a small history, and small random histories.

Nothing of the library decides here: an order is tried on a list, a dict, a set or a number.
"""

import itertools
from collections import deque

from workbench.histories import NIL, History, Operation


class PlainRegister:
    def __init__(self):
        self.value = 0

    def do(self, asked):
        name, *given = asked
        if name == "read":
            return self.value
        if name == "cas":
            if self.value != given[0]:
                return False
            self.value = given[1]
            return True
        before, self.value = self.value, given[0]
        return before if name == "swap" else "done"


class PlainCounter:
    def __init__(self):
        self.value = 0

    def do(self, asked):
        name, *given = asked
        if name == "read":
            return self.value
        self.value += (-1 if name == "decrement" else 1) * (given[0] if given else 1)
        return self.value


class PlainSet:
    def __init__(self):
        self.elements = set()

    def do(self, asked):
        name, *given = asked
        if name == "read":
            return sorted(self.elements)
        there = given[0] in self.elements
        if name == "contains":
            return there
        (self.elements.add if name == "add" else self.elements.discard)(given[0])
        return there if name == "remove" else not there


class PlainQueue:
    def __init__(self):
        self.waiting = deque()

    def take(self):
        return self.waiting.popleft()

    def first(self):
        return self.waiting[0]

    def do(self, asked):
        name, *given = asked
        if name == "size":
            return len(self.waiting)
        if name in ("enqueue", "push"):
            self.waiting.append(given[0])
            return "done"
        if not self.waiting:
            return NIL
        return self.first() if name == "peek" else self.take()


class PlainStack(PlainQueue):
    def take(self):
        return self.waiting.pop()

    def first(self):
        return self.waiting[-1]


class PlainLock:
    def __init__(self):
        self.holder = None

    def do(self, asked):
        name, who = asked
        if name == "acquire":
            free = self.holder is None
            self.holder = who if free else self.holder
            return free
        mine = self.holder == who
        self.holder = None if mine else self.holder
        return mine


class PlainKeyValue:
    def __init__(self):
        self.values = {}

    def do(self, asked):
        name, key, *given = asked
        value = self.values.get(key)
        if name == "get":
            return NIL if value is None else value
        if name == "cas" and value != given[0]:
            return False
        if name == "delete":
            return self.values.pop(key, None) is not None
        self.values[key] = (value or "") + given[0] if name == "append" else given[-1]
        return True if name == "cas" else "done"


PLAIN = {
    "Register": PlainRegister,
    "Counter": PlainCounter,
    "Set": PlainSet,
    "Queue": PlainQueue,
    "Stack": PlainStack,
    "Lock": PlainLock,
    "KeyValue": PlainKeyValue,
}


def inputs(name, rng):
    """Return a random input that an object of that name knows."""
    value, other = rng.randrange(3), rng.randrange(3)
    choices = {
        "Register": [("read",), ("read",), ("write", value), ("cas", value, other), ("swap", value)],
        "Counter": [
            ("read",),
            ("read",),
            ("increment",),
            ("decrement",),
            ("add", value),
            ("decrement", value),
        ],
        "Set": [("add", value), ("remove", value), ("contains", value), ("contains", other), ("read",)],
        "Queue": [("enqueue", value), ("enqueue", other), ("dequeue",), ("dequeue",), ("peek",), ("size",)],
        "Stack": [("push", value), ("push", other), ("pop",), ("pop",), ("peek",), ("size",)],
        "Lock": [("acquire", value), ("acquire", other), ("release", value), ("release", other)],
        "KeyValue": [
            ("get", value),
            ("get", other),
            ("put", value, "a"),
            ("cas", value, "a", "b"),
            ("delete", other),
            ("append", value, "b"),
        ],
    }[name]
    return rng.choice(choices)


def random_history(name, rng, size=6):
    """Return a history of an object that was right, with some answers spoilt, unknown or never given."""
    drafts = _intervals(rng, size)
    for draft in drafts:
        draft["input"] = inputs(name, rng)
        draft["at"] = draft["call"] + rng.random() * (draft["return"] - draft["call"])
    real = PLAIN[name]()
    for draft in sorted(drafts, key=lambda each: each["at"]):
        draft["output"] = real.do(draft["input"])
    last = {draft["process"]: draft for draft in drafts}
    told = [draft["output"] for draft in drafts]
    spoilt = rng.random() < 0.75
    operations = []
    for draft in drafts:
        output, returned = draft["output"], draft["return"]
        if spoilt and rng.random() < 0.4:
            output = rng.choice(told)
        if rng.random() < 0.15:
            output = None
        if draft is last[draft["process"]] and rng.random() < 0.4:
            returned = None
            output = output if rng.random() < 0.2 else None
        operations.append(Operation(draft["process"], draft["call"], returned, draft["input"], output))
    return History(operations)


def _intervals(rng, size):
    """Return operations of a few processes, with whole times that are often equal."""
    drafts = []
    clock = dict.fromkeys(range(rng.randint(1, 4)), 0)
    for _ in range(size):
        process = rng.choice(list(clock))
        call = clock[process] + rng.randrange(3)
        clock[process] = call + rng.randrange(1, 5)
        drafts.append({"process": process, "call": call, "return": clock[process]})
    return drafts


def agrees(asked, told, right):  # noqa: PLR0911 - one line a kind of answer
    """Tell whether an answer is the right one, or none that says anything."""
    if told is None:
        return True
    name = asked[0]
    if name in ("write", "put", "enqueue", "push") or (name == "append"):
        return True
    if name in ("add", "remove", "cas", "acquire", "release", "delete") and type(told) not in (bool, int):
        return right is not False if name in ("acquire", "release") else True
    if name in ("increment", "decrement") or (name == "add" and type(right) is int):
        return type(told) is not int or told == right
    if right is NIL:
        return told is NIL
    if isinstance(right, list):
        return isinstance(told, list | tuple) and sorted(told) == right
    return told == right


def brute_force(name, operations, *, before=None):
    """Tell whether any order of what returned, and of any of what did not, is that of a right object.

    `before(a, b)` says whether a must stand before b.
    """
    before = before or time_order
    must = [operation for operation in operations if operation.return_s is not None]
    may = [operation for operation in operations if operation.return_s is None]
    for count in range(len(may) + 1):
        for chosen in itertools.combinations(may, count):
            if _any_order(name, [*must, *chosen], [], before):
                return True
    return False


def _any_order(name, left, done, before):
    if not left:
        return True
    for operation in left:
        if any(other is not operation and before(other, operation) for other in left):
            continue
        real = PLAIN[name]()
        for earlier in done:
            real.do(earlier.input)
        right = real.do(operation.input)
        if agrees(operation.input, operation.output, right):
            rest = [other for other in left if other is not operation]
            if _any_order(name, rest, [*done, operation], before):
                return True
    return False


def time_order(first, second):
    """Tell whether the first returned before the second was called, or came before it in one process."""
    if first.return_s is None:
        return False
    if first.process == second.process:
        return (first.call_s, first.return_s) < (
            second.call_s,
            float("inf"),
        ) and first.return_s <= second.call_s
    return first.return_s < second.call_s


def process_order(first, second):
    """Tell whether the two are of one process, in this order."""
    return first.process == second.process and time_order(first, second)
