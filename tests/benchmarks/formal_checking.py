"""The model checker against SPIN, minicheck and our own interpreter: interleaved, CPU time, as ratios.

python tests/benchmarks/formal_checking.py           the rungs that are promised; needs spin, gcc, minicheck
python tests/benchmarks/formal_checking.py --small   smaller rungs, to try it

SPIN runs Promela written by hand, compiled with -O2, full states, no reduction; its counts must be ours.
"""

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import workbench.model.formal as wb

TWO_PHASE_COMMIT = """
#define N {n}
#define ALL ((1 << N) - 1)
byte rm[N];      /* 0 working, 1 prepared, 2 committed, 3 aborted */
byte tm;         /* 0 init, 1 committed, 2 aborted */
short prepared;  /* bits of those whose message was received */
short sent;      /* bits of those who have sent "prepared" */
bit commit_sent, abort_sent;

active proctype system() {{
  byte r;
  do
  :: d_step {{ tm == 0 && prepared == ALL -> tm = 1; commit_sent = 1 }}
  :: d_step {{ tm == 0 -> tm = 2; abort_sent = 1 }}
{actions}
  od
}}
"""
RESOURCE_MANAGER = """
  :: d_step {{ tm == 0 && (sent & {bit}) && !(prepared & {bit}) -> prepared = prepared | {bit} }}
  :: d_step {{ rm[{i}] == 0 -> rm[{i}] = 1; sent = sent | {bit} }}
  :: d_step {{ rm[{i}] == 0 -> rm[{i}] = 3 }}
  :: d_step {{ commit_sent && rm[{i}] != 2 -> rm[{i}] = 2 }}
  :: d_step {{ abort_sent && rm[{i}] != 3 -> rm[{i}] = 3 }}
"""
PHILOSOPHERS = """
byte phase[{n}];  /* 0 thinks, 1 holds left, 2 eats, 3 has put left down */

active proctype table() {{
  do
{actions}
  od
}}
"""
PHILOSOPHER = """
  :: d_step {{ phase[{i}] == 0 && phase[{before}] <= 1 -> phase[{i}] = 1 }}
  :: d_step {{ phase[{i}] == 1 && (phase[{after}] == 0 || phase[{after}] == 3) -> phase[{i}] = 2 }}
  :: d_step {{ phase[{i}] == 2 -> phase[{i}] = 3 }}
  :: d_step {{ phase[{i}] == 3 -> phase[{i}] = 0 }}
"""


def two_phase_commit(n: int) -> str:
    actions = "".join(RESOURCE_MANAGER.format(i=i, bit=1 << i) for i in range(n))
    return TWO_PHASE_COMMIT.format(n=n, actions=actions).replace("  byte r;\n", "")


def philosophers(n: int) -> str:
    each = [PHILOSOPHER.format(i=i, before=(i + n - 1) % n, after=(i + 1) % n) for i in range(n)]
    return PHILOSOPHERS.format(n=n, actions="".join(each))


@dataclass
class Run:
    """One run: states, CPU seconds, wall seconds."""

    states: int
    cpu_s: float
    wall_s: float

    @property
    def speed(self) -> float:
        """States a CPU second."""
        return self.states / self.cpu_s


def timed(explore: Callable[[], int]) -> Run:
    cpu, wall = time.process_time(), time.perf_counter()
    states = explore()
    return Run(states, time.process_time() - cpu, time.perf_counter() - wall)


def verifier(text: str, folder: Path) -> Callable[[], Run]:
    """Compile SPIN's verifier of a model, and return what runs it."""
    folder.mkdir()
    (folder / "model.pml").write_text(text)
    subprocess.run(["spin", "-a", "model.pml"], cwd=folder, check=True, capture_output=True)
    flags = ["-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=8000"]
    subprocess.run(["gcc", *flags, "-o", "pan", "pan.c"], cwd=folder, check=True)

    def run() -> Run:
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        found = subprocess.run(
            ["./pan", "-E", "-c0", "-m20000000", "-w26"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        states = re.search(r"(\d+) states, stored", found.stdout)
        assert states is not None, found.stdout
        return Run(int(states[1]), cpu, time.perf_counter() - wall)

    return run


def minicheck_two_phase_commit(n: int) -> int:
    """Explore two-phase commit by minicheck, written over tuples as its documentation does."""
    from minicheck import Protocol, check_safety

    everybody = (1 << n) - 1

    def transitions(state: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
        tm, prepared, sent, messages, *rms = state
        found: list[tuple[str, tuple[int, ...]]] = []
        if tm == 0:
            if prepared == everybody:
                found.append(("tm_commit", (1, prepared, sent, messages | 1, *rms)))
            found.append(("tm_abort", (2, prepared, sent, messages | 2, *rms)))
        for i, rm in enumerate(rms):
            bit, before, after = 1 << i, rms[:i], rms[i + 1 :]
            if tm == 0 and sent & bit:
                found.append(("receive", (tm, prepared | bit, sent, messages, *rms)))
            if rm == 0:
                found.append(("prepare", (tm, prepared, sent | bit, messages, *before, 1, *after)))
                found.append(("abort", (tm, prepared, sent, messages, *before, 3, *after)))
            if messages & 1:
                found.append(("told_commit", (tm, prepared, sent, messages, *before, 2, *after)))
            if messages & 2:
                found.append(("told_abort", (tm, prepared, sent, messages, *before, 3, *after)))
        return found

    fields = ("tm", "prepared", "sent", "messages", *(f"rm{i}" for i in range(n)))
    names = fields[4:]

    def consistent(state: dict[str, int]) -> bool:
        held = {state[name] for name in names}
        return not {2, 3} <= held

    protocol = Protocol(
        name="two-phase commit",
        candidate=False,
        fields=fields,
        initial=(0,) * len(fields),
        transitions=transitions,
        invariants={"consistent": consistent},
    )
    return int(check_safety(protocol, max_states=10_000_000)["reachable_states"])


def ours(model: type[wb.Model], engine: str = "compiled", threads: int = 1) -> Callable[[], int]:
    return lambda: wb.check(model, engine=engine, threads=threads).distinct  # type: ignore[arg-type]


def shown(name: str, runs: list[Run]) -> float:
    """Print what runs took, and return the least CPU time."""
    seconds = [run.cpu_s for run in runs]
    best = min(runs, key=lambda run: run.cpu_s)
    print(
        f"  {name:24} {best.states:>12,} states  CPU min {min(seconds):8.2f} s  median "
        f"{statistics.median(seconds):8.2f} s  wall {best.wall_s:8.2f} s  {best.speed:>12,.0f} states/s"
    )
    return min(seconds)


def against_spin(name: str, model: type[wb.Model], text: str, folder: Path, rounds: int) -> Run:
    run_spin, explore = verifier(text, folder), ours(model)
    wb.check(model, engine="compiled", max_states=1000)  # the compiler's time is none of the search's
    mine: list[Run] = []
    theirs: list[Run] = []
    for _ in range(rounds):
        mine.append(timed(explore))
        theirs.append(run_spin())
    assert mine[0].states == theirs[0].states, (mine[0], theirs[0])
    print(name)
    ratio = 1 / shown("compiled, one thread", mine) * shown("SPIN -O2", theirs)
    print(f"  => {ratio:.1f}x SPIN (promised: 4x)")
    return min(mine, key=lambda run: run.cpu_s)


def against_python(rung: int, compiled: Run, rounds: int) -> None:
    """Compare speeds: the peers explore a smaller rung, where a state costs them less."""
    model = wb.library.TwoPhaseCommit(rm=rung)
    interpreted: list[Run] = []
    peer: list[Run] = []
    for _ in range(rounds):
        interpreted.append(timed(ours(model, "python")))
        peer.append(timed(lambda: minicheck_two_phase_commit(rung)))
    assert interpreted[0].states == peer[0].states
    print(f"two-phase commit, RM={rung}: peers in Python; compiled states a second are those above")
    for name, runs, promised in (("our own interpreter", interpreted, 25), ("minicheck", peer, 30)):
        shown(name, runs)
        best = max(run.speed for run in runs)
        print(f"  => {compiled.speed / best:.1f}x {name} (promised: {promised}x)")


def threads(model: type[wb.Model], rounds: int) -> None:
    one: list[Run] = []
    two: list[Run] = []
    wb.check(model, engine="compiled", threads=2, max_states=1000)
    for _ in range(rounds):
        one.append(timed(ours(model)))
        two.append(timed(ours(model, threads=2)))
    assert one[0].states == two[0].states
    ratio = min(run.wall_s for run in one) / min(run.wall_s for run in two)
    print("threads")
    shown("one", one)
    shown("two", two)
    print(f"  => {ratio:.2f}x by two threads, wall clock (promised: 1.5x)")


IN_A_NEW_PROCESS = """
import resource, time
cpu = time.process_time()
import workbench.model.formal as wb
{model}
start, checking = time.perf_counter(), time.process_time()
verdict = wb.check({checked})
wall, now = time.perf_counter() - start, time.process_time()
size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(verdict.distinct, wall, now - checking, now - cpu, size)
"""
SMALL = """
class Clock(wb.Model):
    hour = wb.Int(0, 99)

    @wb.action
    def tick(s):
        s.hour = (s.hour + 1) % 100
"""


class Alone(NamedTuple):
    """One check, the first in a new process."""

    states: int
    wall_s: float
    cpu_s: float
    with_imports_s: float  # CPU, the import of wb and the class statement included
    size_bytes: int


def in_a_new_process(checked: str, model: str = "") -> Alone:
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:  # a model's text is read from its file
        file.write(IN_A_NEW_PROCESS.format(model=model, checked=checked))
        file.flush()
        found = subprocess.run([sys.executable, file.name], capture_output=True, text=True, check=True)
    states, *seconds, size = found.stdout.split()
    return Alone(int(states), *map(float, seconds), int(size))


def memory(rung: int) -> None:
    alone = in_a_new_process(f'wb.library.TwoPhaseCommit(rm={rung}), engine="compiled"')
    states, seconds, size = alone.states, alone.wall_s, alone.size_bytes
    print(f"two-phase commit, RM={rung}, alone in a process: {states:,} states, {seconds:.1f} s wall")
    print(f"  => {size / 2**30:.2f} GiB at most (promised: 3 GB)")


def storages(rung: int, rounds: int) -> None:
    """Compare what is kept of a state: time and memory, and what may be omitted for it."""
    model = wb.library.TwoPhaseCommit(rm=rung)
    print(f"two-phase commit, RM={rung}, by what is kept of each state")
    kinds: list[Any] = ["exact", wb.HashCompaction(40), wb.Bitstate(1 << 26)]
    for kind in kinds:
        verdicts: list[wb.Verdict] = []

        def explore(kind: Any = kind, verdicts: list[wb.Verdict] = verdicts) -> int:
            verdicts.append(wb.check(model, engine="compiled", storage=kind))
            return verdicts[-1].distinct

        explore()
        shown(getattr(kind, "name", kind), [timed(explore) for _ in range(rounds)])
        held = verdicts[-1]
        print(
            f"    {held.memory_bytes / held.distinct:.1f} bytes a state; {held.bound or 'nothing is omitted'}"
        )


def symmetry(rung: int, rounds: int) -> None:
    """Compare the engines where one of all states that are renamings of each other is explored."""
    model = wb.library.TwoPhaseCommit(rm=rung)
    runs: dict[str, list[Run]] = {"compiled": [], "python": []}
    wb.check(model, engine="compiled", symmetry=True)
    for _ in range(rounds):
        for engine, mine in runs.items():
            mine.append(
                timed(lambda engine=engine: wb.check(model, engine=engine, symmetry=True).distinct)  # type: ignore[misc]
            )
    print(f"two-phase commit, RM={rung}, one of all states that are renamings of each other")
    ratio = shown("interpreted", runs["python"]) / shown("compiled", runs["compiled"])
    print(f"  => {ratio:.0f}x our own interpreter")


def first_verdict() -> None:
    everything = [in_a_new_process("Clock", SMALL) for _ in range(9)]
    wall, cpu = (1000 * min(each[which] for each in everything) for which in (1, 2))
    whole = 1000 * min(each.with_imports_s for each in everything)
    print(f"first verdict on {everything[0].states} states in a new process")
    print(f"  => CPU {cpu:.0f} ms, wall {wall:.0f} ms at least (promised: 50 ms)")
    print(f"  CPU {whole:.0f} ms with the import of wb and the class statement")


def main() -> None:
    reader = argparse.ArgumentParser(description="The model checker against its peers.")
    reader.add_argument("--small", action="store_true", help="smaller rungs")
    reader.add_argument("--rounds", type=int, default=3, help="how often each contestant runs")
    given = reader.parse_args()
    rms, table, python_rung, large = (7, 11, 5, 8) if given.small else (9, 14, 7, 10)
    first_verdict()
    with tempfile.TemporaryDirectory() as name:
        folder, rounds = Path(name), given.rounds
        model = wb.library.TwoPhaseCommit(rm=rms)
        best = against_spin(
            f"two-phase commit, RM={rms}", model, two_phase_commit(rms), folder / "2pc", rounds
        )
        dining = wb.library.DiningPhilosophers(table)
        against_spin(f"{table} philosophers", dining, philosophers(table), folder / "dining", rounds)
    against_python(python_rung, best, rounds)
    threads(model, rounds)
    storages(rms, rounds)
    symmetry(rms, rounds)
    memory(large)


if __name__ == "__main__":
    main()
