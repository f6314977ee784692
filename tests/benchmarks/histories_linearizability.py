"""`linearizable` on a hundred register histories: seconds, and multiples of the same search in plain Python.

python tests/benchmarks/histories_linearizability.py

The histories are of the kind that was recorded of etcd: 5 to 12 clients read, write and compare-and-set a
register some 80 times, a tenth to four tenths of the answers are lost, and in every other history some reads
are stale. None is left out. Plain Python is three things, each asked for the histories that do not take it
minutes: the kernel's own source, run by Python on the same arrays; the same steps in the same order as one
would write them in Python, over lists and with a set; and the interpreted engine, which asks the model at
every step and knows none of the kernel's shortcuts. Rounds are interleaved; CPU time.
"""

import random
import statistics
import time
from functools import partial
from types import FunctionType
from typing import NamedTuple

import numpy as np

from workbench.histories import NIL, History, Operation, Register, linearizable
from workbench.histories.search import _codes as codes
from workbench.histories.search import _kernel_search as kernel
from workbench.histories.search.automaton import Automaton
from workbench.histories.search.compiled import CompiledSearch
from workbench.histories.search.lanes import NEVER, by_time
from workbench.histories.search.outcome import Bounds

HISTORIES, OPERATIONS = 100, 80
ROUNDS = 3
MOST_STEPS = 40_000  # that plain Python is asked for
INTERPRETED_STEPS = 50_000
WITHOUT_BOUNDS = Bounds(1 << 62, float("inf"), 1 << 32)


def register_history(seed):
    """Return a history of a register, of which answers are lost and reads perhaps stale."""
    rng = random.Random(seed)
    clients, values = (5, 8, 12)[seed % 3], (5, 20)[seed // 3 % 2]
    lost, stale = (0.1, 0.25, 0.4)[seed // 6 % 3], 0.03 if seed % 2 else 0.0
    drafts = _calls(rng, clients, values, lost)
    value, before = None, None
    for draft in sorted(drafts, key=lambda each: each["at"]):
        name, *given = draft["input"]
        if name == "read":
            read = before if rng.random() < stale else value
            draft["output"] = NIL if read is None else read
            continue
        draft["output"] = NIL if name == "write" else value == given[0]
        if draft["happens"] and draft["output"] is not False:
            before, value = value, given[-1]
    return History(_operation(draft) for draft in drafts)


def _calls(rng, clients, values, lost):
    clock = {client: rng.random() for client in range(clients)}
    names = dict(enumerate(range(clients)))
    drafts = []
    for _ in range(OPERATIONS):
        client = min(clock, key=clock.get)
        call = clock[client] + rng.expovariate(4)
        returned = call + rng.expovariate(1)
        value, other = rng.randrange(values), rng.randrange(values)
        asked = rng.choice([("read",), ("write", value), ("cas", value, other)])
        is_lost = rng.random() < lost
        draft = {"process": names[client], "call": call, "return": returned, "input": asked}
        draft["lost"] = is_lost
        draft["at"] = rng.uniform(call, returned + (20 if is_lost else 0))
        draft["happens"] = not is_lost or rng.random() < 0.5
        drafts.append(draft)
        clock[client] = returned
        if is_lost:
            names[client] += clients
    return drafts


def _operation(draft):
    if draft["lost"]:
        return Operation(draft["process"], draft["call"], None, draft["input"])
    return Operation(draft["process"], draft["call"], draft["return"], draft["input"], draft["output"])


def compiled_search(history, kind=CompiledSearch):
    automaton = Automaton(Register(), history.operations)
    return kind(by_time(*automaton.relevant(history.operations)), automaton)


class Answer(NamedTuple):
    holds: bool
    steps: int


class PlainSearch:
    """The same search, as one would write it in Python."""

    def __init__(self, history):
        search = compiled_search(history)
        rows = search.operations.T.tolist()
        self.call, self.returned, self.symbol, _, self.steady = rows
        self.ahead, self.end = search.lanes.bounds[:-1].tolist(), search.lanes.bounds[1:].tolist()
        self.unit = [1 << (64 * word + shift) for word, shift in search.tracks[:, 2:].tolist()]
        self.automaton = search.automaton
        self.table = self.automaton.table.tolist()

    def after(self, state, symbol):
        if self.table[state][symbol] == codes.UNKNOWN:
            self.automaton.fill(state, symbol)
            self.table = self.automaton.table.tolist()
        return self.table[state][symbol]

    def run(self):  # noqa: C901 - one loop, as the kernel's
        """Return whether it holds, and the steps."""
        call, returned, symbol = self.call, self.returned, self.symbol
        ahead, end, unit, lanes = self.ahead, self.end, self.unit, range(len(self.ahead))
        left = sum(time != NEVER for time in returned)
        state = key = steps = lane = 0
        low = min((returned[ahead[k]] for k in lanes), default=NEVER)
        stack, visited, fresh, only = [], set(), True, False
        while left:
            if fresh:
                lane, only = self.steady_lane(state, low)
                fresh = False
            found = False
            last = stack[-1] if stack else None
            without = last[1] if last and returned[ahead[last[0]] - 1] == NEVER else -1
            while lane < len(ahead):
                place = ahead[lane]
                if place < end[lane] and call[place] <= low:
                    steps += 1
                    after = self.table[state][symbol[place]]
                    if after == codes.UNKNOWN:
                        after = self.after(state, symbol[place])
                    idle = after == state and returned[place] == NEVER
                    if without >= 0 and self.table[without][symbol[place]] == after:
                        idle = True
                    if after >= 0 and not idle:
                        configuration = (key + unit[lane], after)
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
                    low = min((returned[ahead[k]] for k in lanes if ahead[k] < end[k]), default=NEVER)
                fresh, only = True, False
                continue
            if not stack:
                return Answer(False, steps)
            lane, state, low, only = stack.pop()
            ahead[lane] -= 1
            key -= unit[lane]
            left += returned[ahead[lane]] != NEVER
            lane = len(ahead) if only else lane + 1
            only = False
        return Answer(True, steps)

    def steady_lane(self, state, low):
        for lane, place in enumerate(self.ahead):
            may_be_next = place < self.end[lane] and self.steady[place] and self.call[place] <= low
            if may_be_next and self.table[state][self.symbol[place]] == state:
                return lane, True
        return 0, False


def _pure(dispatcher, **names):
    """Return a kernel's source as a function that Python runs."""
    function = dispatcher.py_func
    return FunctionType(function.__code__, {**function.__globals__, **names})


def _mix(left, right):
    product = (int(left) & WORD) * (int(right) & WORD)
    return _signed(product ^ product >> 64)


def _shift_right(value, bits):
    return _signed((int(value) & WORD) >> bits)


def _signed(number):
    number &= WORD
    return np.int64(number - (1 << 64) if number >> 63 else number)


WORD = (1 << 64) - 1
SLOT = _pure(kernel._slot, mix=_mix, shift_right=_shift_right)
LEAST_RETURN = _pure(kernel._least_return)
SEARCH = _pure(kernel.search, _slot=SLOT, _least_return=LEAST_RETURN, unowned=lambda array: array)


class UncompiledSearch(CompiledSearch):
    """The compiled engine, its kernel run by Python."""

    def _advance(self, bounds):
        self.here[codes.BUDGET] = bounds.max_steps
        arrays = (
            self.operations,
            self.tracks,
            self.stack,
            self.automaton.table,
            self.visits,
            self.key,
            self.best,
        )
        with np.errstate(over="ignore"):
            return int(SEARCH(self.here, *arrays))


def cpu(function, *arguments):
    start = time.process_time()
    answer = function(*arguments)
    return time.process_time() - start, answer


def judge(histories):
    return [linearizable(history, Register()) for history in histories]


def main():
    histories = [register_history(seed) for seed in range(HISTORIES)]
    judge(histories[:1])
    whole = [cpu(judge, histories) for _ in range(2 * ROUNDS)]
    verdicts = whole[0][1]
    steps = [verdict.steps for verdict in verdicts]
    right = sum(verdict.holds is True for verdict in verdicts)
    undecided = sum(verdict.holds is None for verdict in verdicts)
    print(f"{HISTORIES} histories of {OPERATIONS} operations: {right} linearizable, {undecided} undecided")
    print(f"steps: {sum(steps):,} in all, median {statistics.median(steps):,.0f}, most {max(steps):,}")
    seconds = [spent for spent, _ in whole]
    print(f"linearizable(), all: {min(seconds):.3f} s CPU, median {statistics.median(seconds):.3f} s")
    compare(histories, steps)


RUNS = {
    "our search": lambda history: partial(compiled_search(history).run, WITHOUT_BOUNDS),
    "linearizable()": lambda history: partial(linearizable, history, Register()),
    "its source, run by Python": lambda history: partial(
        compiled_search(history, UncompiledSearch).run, WITHOUT_BOUNDS
    ),
    "as one would write it": lambda history: PlainSearch(history).run,
    'engine="interpreted"': lambda history: partial(
        linearizable, history, Register(), engine="interpreted", max_steps=INTERPRETED_STEPS
    ),
}


def compare(histories, steps):
    chosen = [history for history, count in zip(histories, steps, strict=True) if count <= MOST_STEPS]
    done = sum(count for count in steps if count <= MOST_STEPS)
    print(
        f"{len(chosen)} of them, at most {MOST_STEPS:,} steps each, {done:,} in all; multiples of our search:"
    )
    spent = {name: [] for name in RUNS}
    found = {}
    for _ in range(ROUNDS):
        for name, prepare in RUNS.items():
            ready = [prepare(history) for history in chosen]
            seconds, answers = cpu(lambda ready=ready: [run() for run in ready])
            spent[name].append(seconds)
            found[name] = [answer.holds for answer in answers]
    least = {name: min(seconds) for name, seconds in spent.items()}
    for name, seconds in least.items():
        agree = sum(mine == theirs for mine, theirs in zip(found["our search"], found[name], strict=True))
        open_ = found[name].count(None)
        assert agree + open_ == len(chosen)
        undecided = f"   {open_} undecided after {INTERPRETED_STEPS:,} steps" if open_ else ""
        print(f"  {name:28} {seconds:8.4f} s   {seconds / least['our search']:7.1f}x{undecided}")


if __name__ == "__main__":
    main()
