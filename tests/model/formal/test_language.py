"""The language of models: fields and their domains, declarations, inheritance, and what is refused."""

import enum
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import Jugs

import workbench.model.formal as wb
from workbench.model.formal.compiling.layouts import StateLayout
from workbench.model.formal.domains.symmetric import permuted, renamings

Message = wb.Record(kind=wb.Enum("ask", "tell"), sender=wb.Int(0, 2), value=wb.Maybe(wb.Int(-1, 5)))


class Colour(enum.Enum):
    """Two colours."""

    RED = 1
    BLUE = 2


DOMAINS = [
    wb.Int(-3, 4),
    wb.Bool(),
    wb.Enum("a", "b", "c"),
    wb.Enum(Colour),
    wb.Maybe(wb.Int(0, 2)),
    wb.Array(3, wb.Bool()),
    wb.Array(("x", "y"), wb.Int(0, 2)),
    wb.Map(range(2), wb.Maybe(wb.Bool())),
    wb.Seq(wb.Int(1, 2), 3),
    wb.Set(range(4)),
    wb.Set(wb.Tuple(wb.Bool(), wb.Int(0, 2))),
    wb.Tuple(wb.Int(0, 2), wb.Bool()),
    Message,
]


@pytest.mark.parametrize("domain", DOMAINS, ids=repr)
def test_a_domain_holds_exactly_its_values(domain):
    frozen = list(domain.frozen_values())
    assert len(frozen) == len(set(frozen)) == domain.size
    assert frozen[0] == domain.lowest
    for value in frozen:
        assert domain.freeze(domain.thaw(value)) == value
        assert domain.thaw(value) in domain
        assert isinstance(domain.show(value), str)


@pytest.mark.parametrize("domain", DOMAINS, ids=repr)
def test_packing_is_exact(domain):
    layout = StateLayout({"before": wb.Int(0, 5), "asked": domain, "after": wb.Bool()})
    words = {layout.pack((3, value, True)): value for value in domain.frozen_values()}
    assert len(words) == domain.size
    assert all(layout.unpack(packed) == (3, value, True) for packed, value in words.items())


@pytest.mark.parametrize(
    ("domain", "wrong", "said"),
    [
        (wb.Int(0, 5), 6, "6 is outside Int"),
        (wb.Int(0, 5), -1, "-1 is outside Int"),
        (wb.Int(0, 5), "3", "is no integer"),
        (wb.Bool(), 2, "2 is no boolean"),
        (wb.Enum("a", "b"), "c", "'c' is none of 'a', 'b'"),
        (wb.Maybe(wb.Int(0, 1)), 2, "2 is outside Int"),
        (wb.Array(2, wb.Bool()), [True], "does not have one value for each of the 2 keys"),
        (wb.Array(2, wb.Bool()), 5, "does not have one value"),
        (wb.Map(range(2), wb.Bool()), {2: True}, "2 is no key"),
        (wb.Map(range(2), wb.Bool()), [], "is no mapping"),
        (wb.Seq(wb.Int(0, 1), 2), [0, 0, 0], "a sequence of 3 is longer than Seq"),
        (wb.Seq(wb.Int(0, 1), 2), "ab", "is no sequence"),
        (wb.Set(range(2)), {2}, "2 is outside Int"),
        (wb.Set(range(2)), 1, "is no set"),
        (wb.Tuple(wb.Bool()), (True, False), "is no tuple of 1 values"),
        (Message, {"kind": "ask"}, "does not have the fields kind, sender, value"),
        (wb.Value(), [], "cannot be hashed"),
    ],
)
def test_values_outside_a_domain_are_refused(domain, wrong, said):
    with pytest.raises(wb.DomainError, match=said):
        domain.freeze(wrong)
    assert wrong not in domain


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: wb.Int(5, 0), "the lower first"),
        (lambda: wb.Enum("a", "a"), "different constants"),
        (lambda: wb.Set(wb.Int(0, 10_000)), "at most 4096 values"),
        (lambda: wb.Set(wb.Value()), "has no bound"),
        (lambda: wb.Seq(wb.Bool(), 0), "at least 1"),
        (wb.Record, "at least one field"),
        (lambda: wb.Array(0, wb.Bool()), "at least one"),
        (lambda: wb.Maybe(3.5), "must be a domain"),
        (lambda: list(wb.Value().values()), "no list of its values"),
        (lambda: Jugs(huge=3), "Jugs has no field huge; its fields are big, small"),
        (lambda: wb.action(fair="very"), "fair must be 'weak' or 'strong'"),
        (lambda: wb.action(k=range(2))(lambda s: None), "takes no parameters, and is declared with k"),
        (lambda: wb.invariant(lambda s, t: True), "must take 1 argument"),
    ],
)
def test_wrong_declarations_are_refused(declare, said):
    with pytest.raises(wb.ModelError, match=said):
        declare()


def test_a_state_is_an_instance_whose_fields_may_be_set():
    state = Jugs(big=2)
    assert (state.big, state.small) == (2, 0)
    assert state == Jugs(big=2, small=0) != Jugs()
    assert hash(state) == hash(Jugs(big=2))
    assert repr(state) == "Jugs(big=2, small=0)"
    with pytest.raises(AttributeError):
        state.bigg = 3


def test_an_action_may_be_called_with_a_state():
    state = Jugs(small=3)
    state.small_to_big()
    assert state == Jugs(big=3)
    Jugs.fill_small(state)
    assert state.small == 3


class Solved(Jugs):
    """A jug less: an action is replaced in its place, a property is added."""

    @wb.action
    def fill_big(s):
        wb.require(s.small == 3)
        s.big = 5

    @wb.invariant
    def never_both_full(s):
        return s.big != 5 or s.small != 3


def test_a_model_may_be_derived_from_another():
    declared = Solved.__specification__
    assert [action.name for action in declared.actions] == [a.name for a in Jugs.__specification__.actions]
    assert [each.name for each in declared.of_kind("invariant")] == ["unsolved", "never_both_full"]
    assert wb.check(Solved).property == "never_both_full"
    with pytest.raises(wb.ModelError, match="declares the field big again"):
        type("Twice", (Jugs,), {"big": wb.Int(0, 1)})


def test_a_field_is_not_called_init():
    with pytest.raises(wb.ModelError, match="Odd declares a field called init"):
        type("Odd", (wb.Model,), {"init": wb.Int(0, 3)})


def test_init_may_emit_many_states():
    class Start(wb.Model):
        n = wb.Int(0, 9)
        flag = wb.Bool()

        def init(s):
            for s.n in (1, 3, 3):
                yield

        @wb.action
        def set_flag(s):
            s.flag = True

    verdict = wb.check(Start)
    assert (verdict.distinct, verdict.generated, verdict.depth) == (4, 7, 2)


class Sums(wb.Model):
    """Uses what the compiled engine does not know."""

    n = wb.Int(0, 9)

    @wb.action
    def power(s):
        s.n = [x for x in str(s.n)].index("0")  # noqa: C416 - what is meant


def test_what_cannot_be_compiled_is_said_with_its_line_and_runs_interpreted():
    with pytest.raises(wb.NotCompilableError, match=r"test_language.py:\d+: in power: `.*str.*`: "):
        wb.check(Sums, engine="compiled", stop_at_first=True)
    assert wb.check(Sums).distinct == 1


def test_a_function_without_text_cannot_be_compiled():
    names = {"wb": wb}
    exec(
        "class Typed(wb.Model):\n    n = wb.Int(0, 3)\n    @wb.action\n    def up(s):\n        s.n = 1", names
    )
    with pytest.raises(wb.NotCompilableError, match=r"the text of Typed\.up is not at hand"):
        wb.check(names["Typed"], engine="compiled")
    assert wb.check(names["Typed"]).distinct == 2


def test_a_field_of_any_value_is_interpreted():
    class Anything(wb.Model):
        value = wb.Value()

        @wb.action(k=("x", 2, (3, 4)))
        def put(s, k):
            s.value = k

    assert wb.check(Anything).distinct == 4
    with pytest.raises(wb.NotCompilableError, match="the compiled engine needs a finite domain"):
        wb.check(Anything, engine="compiled")


@given(st.randoms(use_true_random=False))
def test_renaming_is_a_permutation_of_states(rng):
    """Two renamings, one undoing the other, give the state back."""
    names = wb.Symmetric(3)
    domain = wb.Tuple(
        wb.Array(names, wb.Maybe(names)), wb.Set(names), wb.Map(names, wb.Bool()), wb.Seq(names, 2)
    )
    renaming = rng.choice(list(renamings([names])))
    back = {names: tuple(renaming[names].index(number) for number in range(3))}
    value = tuple(random.Random(rng.random()).choice(list(part.frozen_values())) for part in domain.parts)
    assert permuted(domain, permuted(domain, value, renaming), back) == value
