"""`linearizable` against the same search in plain Python, on a hundred register histories; queues and stacks.

python tests/benchmarks/histories_linearizability.py

The histories are of the kind that was recorded of etcd: 5 to 12 clients read, write and compare-and-set a
register some 80 times, a tenth to four tenths of the answers are lost, and in every other history some reads
are stale. None is left out; the light ones and the rest are also summed by themselves. What is timed is the
whole way from operations to a verdict, but of the kernel alone. Beside us are

- all our kernels' sources, run by Python: the rest of `linearizable` is the same; and of the kernel that
  searches, alone;
- the very same steps, as one would write them in Python: with all of our rules, lanes and packed sets;
- the search of the literature in plain Python, without those rules, up to `TEXTBOOK_STEPS` for each history:
  where it is undecided by then, it takes at least so long.

Rounds are interleaved; CPU time, and of each history the least of all rounds.
"""

import statistics
import time
from contextlib import ExitStack
from types import FunctionType
from unittest import mock

import numpy as np
from numba.core.registry import CPUDispatcher
from plain_linearizability import PlainSearch, Textbook
from register_histories import OPERATIONS, register_history

from workbench.histories import NIL, History, Model, Operation, Queue, Register, Stack, linearizable
from workbench.histories.search import compiled, lanes

HISTORIES = 100
ROUNDS = 7
LIGHT_STEPS = 1_000  # a light history takes at most so many
TEXTBOOK_STEPS = 1_000_000
SEQUENCE_STEPS = 2_000_000
KERNEL, KERNEL_SOURCE = "the kernel of the search alone", "that kernel's source alone, run by Python"


WORD = (1 << 64) - 1


def _signed(number):
    number &= WORD
    return np.int64(number - (1 << 64) if number >> 63 else number)


def _mix(left, right):
    product = (int(left) & WORD) * (int(right) & WORD)
    return _signed(product ^ product >> 64)


INTRINSICS = {
    "mix": _mix,
    "shift_right": lambda value, bits: _signed((int(value) & WORD) >> bits),
    "unowned": lambda array: array,
}


def source(kernel):
    """Return a kernel as a function that Python runs, as are those that it calls."""
    function = kernel.py_func
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        called = names.get(name)
        if name in INTRINSICS:
            names[name] = INTRINSICS[name]
        elif isinstance(called, CPUDispatcher):
            names[name] = source(called)
    return FunctionType(function.__code__, names)


def kernels_run_by_python():
    """Replace the kernels of `linearizable` by their sources while it is entered."""
    stack = ExitStack()
    stack.enter_context(np.errstate(over="ignore"))
    for module, name in [
        (compiled, "search"),
        (compiled, "leave_out"),
        (compiled, "rehash"),
        (lanes, "lay_out"),
    ]:
        uncompiled = mock.Mock(side_effect=source(getattr(module, name)), overloads=True)
        stack.enter_context(mock.patch.object(module, name, uncompiled))
    return stack


def ours(history):
    return linearizable(history, Register())


def ours_from_operations(history):
    return linearizable(History(history.operations), Register())


def our_kernels_sources(history):
    with kernels_run_by_python():
        start = time.process_time()
        verdict = linearizable(History(history.operations), Register())
        return time.process_time() - start, verdict


def kernel_alone(kernel):
    """Return a contender of which only the calls of the search's kernel are timed."""

    def judge(history):
        spent = []

        def search(*arguments):
            start = time.process_time()
            status = kernel(*arguments)
            spent.append(time.process_time() - start)
            return status

        search.overloads = True
        with mock.patch.object(compiled, "search", search), np.errstate(over="ignore"):
            verdict = linearizable(history, Register())
        return sum(spent), verdict

    return judge


def plain(history):
    return PlainSearch(history.operations).run()


def textbook(history):
    return Textbook(history.operations).run(TEXTBOOK_STEPS)


CONTENDERS = {
    "linearizable(history)": (ours, ROUNDS),
    "linearizable(History(operations))": (ours_from_operations, ROUNDS),
    "its kernels' sources, run by Python": (our_kernels_sources, 1),
    "the same steps, in plain Python": (plain, 3),
    "the search of the literature, in plain Python": (textbook, 1),
    KERNEL: (kernel_alone(compiled.search), ROUNDS),
    KERNEL_SOURCE: (kernel_alone(source(compiled.search)), 1),
}


def timed(judge, history):
    """Return the seconds that judging takes, and the answer."""
    start = time.process_time()
    answer = judge(history)
    spent = time.process_time() - start
    return answer if isinstance(answer, tuple) and isinstance(answer[0], float) else (spent, answer)


def compare(histories):
    """Return the least seconds and the answer of each contender for each history."""
    spent = {name: [float("inf")] * len(histories) for name in CONTENDERS}
    answers = {name: [None] * len(histories) for name in CONTENDERS}
    for round_ in range(ROUNDS):
        for name, (judge, rounds) in CONTENDERS.items():
            for place, history in enumerate(histories if round_ < rounds else []):
                seconds, answers[name][place] = timed(judge, history)
                spent[name][place] = min(spent[name][place], seconds)
    return spent, answers


def report(title, places, spent, answers):
    base = sum(spent["linearizable(History(operations))"][place] for place in places)
    steps = sum(answers["linearizable(history)"][place].steps for place in places)
    print(
        f"{title}: {len(places)} histories, {steps:,} steps; multiples of linearizable(History(operations))"
    )
    for name, seconds in spent.items():
        total = sum(seconds[place] for place in places)
        open_ = sum(answers[name][place].holds is None for place in places)
        note = f", at least: {open_} are undecided after {TEXTBOOK_STEPS:,} steps" if open_ else ""
        print(f"  {name:46} {1000 * total:10.2f} ms {total / base:9.1f}x{note}")
    alone, its_source = (sum(spent[name][place] for place in places) for name in (KERNEL, KERNEL_SOURCE))
    print(f"  the kernel: {steps / alone / 1e6:.1f} million steps/s, {its_source / alone:.0f}x its source")


def registers():
    histories = [register_history(seed) for seed in range(HISTORIES)]
    ours(histories[0])
    spent, answers = compare(histories)
    verdicts = answers["linearizable(history)"]
    steps = [verdict.steps for verdict in verdicts]
    right = sum(verdict.holds is True for verdict in verdicts)
    assert all(verdict.holds is not None for verdict in verdicts)
    for name in ("its kernels' sources, run by Python", "the same steps, in plain Python"):
        assert [(each.holds, each.steps) for each in answers[name]] == [
            (verdict.holds, verdict.steps) for verdict in verdicts
        ]
    found = answers["the search of the literature, in plain Python"]
    assert all(each.holds in (None, verdict.holds) for each, verdict in zip(found, verdicts, strict=True))
    print(f"{HISTORIES} histories of {OPERATIONS} operations: {right} are linearizable")
    print(f"steps: median {statistics.median(steps):,.0f}, most {max(steps):,}")
    light = [place for place, count in enumerate(steps) if count <= LIGHT_STEPS]
    report("all", range(len(histories)), spent, answers)
    report("the light ones", light, spent, answers)
    report("the rest", sorted(set(range(len(histories))) - set(light)), spent, answers)


def hopeless_sequence(put, take, size=12):
    """Return a history of values that are put and taken all at once, and of one that was never there."""
    puts = [Operation(("put", k), 0, 100, (put, k), NIL) for k in range(size)]
    takes = [Operation(("take", k), 1, 100, (take,), k) for k in range(size)]
    return History([*puts, *takes, Operation("last", 101, 102, (take,), "none")])


def sequences():
    print("queues and stacks: steps a second of a search that finds no order, and of the model's own table")
    for model, put, take in [(Queue(), "enqueue", "dequeue"), (Stack(), "push", "pop")]:
        history = hopeless_sequence(put, take)
        table = Model(model.step, model.start)
        rates = []
        for judged, most in ((model, SEQUENCE_STEPS), (table, SEQUENCE_STEPS // 10)):
            linearizable(history, judged, max_steps=1000)
            seconds, verdict = timed(lambda h, m=judged, n=most: linearizable(h, m, max_steps=n), history)
            rates.append(verdict.steps / seconds / 1e6)
        print(f"  {type(model).__name__}: {rates[0]:.2f} million, {rates[1]:.2f} million as a table")


def main():
    registers()
    sequences()


if __name__ == "__main__":
    main()
