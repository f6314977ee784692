"""TLA+ text: an evaluator of TLA+ that knows nothing of us finds the same states, edges and violations."""

import pytest
from tla_reader import Module

import workbench.model.formal as wb
from workbench.model.formal import library

MODELS = {
    "jugs": library.DieHard,
    "two-phase commit": lambda: library.TwoPhaseCommit(3),
    "philosophers": lambda: library.DiningPhilosophers(4),
    "forks in order": lambda: library.OrderedPhilosophers(3),
    "Peterson": library.Peterson,
    "ring election": library.ChangRoberts,
    "lock with leases": library.LeaseLock,
    "bakery": library.Bakery,
    "token ring": lambda: library.TokenRing(3, 3),
}


def made(name):
    model = MODELS[name]
    return model if isinstance(model, type) else model()


@pytest.mark.parametrize("name", MODELS)
def test_the_module_has_the_states_of_the_model(name):
    model = made(name)
    assert len(Module(wb.to_tla(model)).reachable()) == wb.check(model, engine="python").distinct


@pytest.mark.parametrize("name", MODELS)
def test_every_state_is_of_the_declared_types(name):
    module = Module(wb.to_tla(made(name)))
    assert all(module.holds("TypeOK", state) for state in module.reachable())


def test_every_successor_is_generated_as_often():
    model = library.TwoPhaseCommit(3)
    module = Module(wb.to_tla(model))
    edges = sum(len(list(module.successors(state))) for state in module.reachable())
    assert edges + 1 == wb.check(model).generated == 1146


def test_an_invariant_is_violated_in_the_states_in_which_it_is():
    module = Module(wb.to_tla(library.DieHard))
    broken = [state for state in module.reachable() if not module.holds("unsolved", state)]
    assert sorted(state["small"] for state in broken) == [0, 3]
    assert {state["big"] for state in broken} == {4}


def test_the_whole_text_of_a_small_model():
    class Light(wb.Model):
        color = wb.Enum("red", "green")
        lamps = wb.Array(2, wb.Bool())

        @wb.action(i=range(2))
        def switch(s, i):
            wb.require(s.color == "red")
            s.lamps[i] = not s.lamps[i]

        @wb.action
        def go(s):
            if s.lamps[0]:
                s.color = "green"
            else:
                s.color = "red"

        @wb.terminal
        def is_green(s):
            return s.color == "green"

        @wb.action_property
        def green_stays(s, after):
            return s.color != "green" or after.color == "green"

    assert wb.to_tla(Light) == LIGHT


LIGHT = r"""---- MODULE Light ----
(* Written by workbench.model.formal.to_tla. TLC's configuration:
SPECIFICATION Spec
INVARIANT TypeOK
PROPERTY green_stays *)
EXTENDS Integers, TLC

VARIABLES color, lamps
vars == <<color, lamps>>

TypeOK ==
  /\ color \in {"red", "green"}
  /\ lamps \in [0..1 -> BOOLEAN]

Init ==
  /\ color = "red"
  /\ lamps = [i \in 0..1 |-> FALSE]

switch_0 ==
  /\ color = "red"
  /\ lamps' = [lamps EXCEPT ![0] = ~lamps[0]]
  /\ UNCHANGED color

switch_1 ==
  /\ color = "red"
  /\ lamps' = [lamps EXCEPT ![1] = ~lamps[1]]
  /\ UNCHANGED color

go ==
  \/ /\ lamps[0]
     /\ color' = "green"
     /\ UNCHANGED lamps
  \/ /\ ~lamps[0]
     /\ color' = "red"
     /\ UNCHANGED lamps

Terminated ==
  /\ color = "green"
  /\ UNCHANGED vars

Next ==
  \/ switch_0
  \/ switch_1
  \/ go
  \/ Terminated

Spec == Init /\ [][Next]_vars

green_stays == [][(color # "green") \/ (color' = "green")]_vars

====
"""
