"""Formulas as they are written, in Python and as text: what joins, what is refused, and with which words."""

import pytest

import workbench.model.formal as wb


class Lamp(wb.Model):
    """Is switched on and off."""

    on = wb.Bool()

    @wb.action
    def switch(s):
        s.on = not s.on

    @wb.predicate
    def shines(s):
        return s.on

    @wb.predicate
    def größer(s):  # noqa: PLC2401 - that is what is tested
        return s.on

    @wb.predicate
    def until(s):
        return s.on

    @wb.action_property
    def changes(before, after):
        return before.on != after.on


@pytest.mark.parametrize(
    "joined",
    [
        lambda p, q: p and q,
        lambda p, q: p or q,
        lambda p, q: not p,
        lambda p, q: p if q else q,
    ],
    ids=["and", "or", "not", "if"],
)
def test_words_of_python_that_would_drop_a_formula_are_refused(joined):
    with pytest.raises(wb.ModelError, match=r"join formulas by &, \|, ~ and >>"):
        joined(wb.always("p"), wb.eventually("q"))


def test_predicates_are_joined_as_formulas_are():
    shines, size = Lamp.shines, Lamp.größer
    assert repr(~shines & size) == "(~shines & größer)"
    assert repr(shines | ~size) == "(shines | ~größer)"
    assert repr(shines >> wb.eventually(size)) == "(~shines | eventually(größer))"
    assert repr("shines" & ~size) == "(shines & ~größer)"
    assert repr(shines >> size) == "(~shines | größer)"
    with pytest.raises(wb.ModelError, match="join formulas by"):
        wb.always(shines and size)


@pytest.mark.parametrize("member", ["switch", "changes"])
def test_what_says_nothing_of_a_state_is_no_formula(member):
    declared = getattr(Lamp, member)
    with pytest.raises(wb.ModelError, match=f"{member} is declared as {declared.kind}"):
        wb.always(declared)
    with pytest.raises(wb.ModelError, match=f"{member} is declared as {declared.kind}"):
        wb.reachable(Lamp, declared)
    with pytest.raises(wb.ModelError, match=f"no predicate {member!r}"):
        wb.reachable(Lamp, member)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("□ ◇ p", "[] <> p"),
        ("○ p", "X p"),
        ("¬p ∧ q ∨ p", "!p && q || p"),  # noqa: RUF001
        ("p → q", "p -> q"),
        ("p ⇒ q", "p -> q"),
        ("p implies q", "p -> q"),
        ("p ↔ q", "p <-> q"),
        ("p ⇔ q", "p <-> q"),
        ("p <=> q", "p <-> q"),
        ("p leads_to q", "p ~> q"),
        ("p weakuntil q", "p W q"),
        ("p && q U p || q", "(p && (q U p)) || q"),
        ("p -> q -> p", "p -> (q -> p)"),
        ("p U q U p", "p U (q U p)"),
        ("p R q U p", "p R (q U p)"),
        ("! p U q", "(! p) U q"),
        ("[] p && q", "([] p) && q"),
        ("p <-> q <-> p", "(p <-> q) <-> p"),
        ("p ~> q -> p", "p ~> (q -> p)"),
        ("E[p U q] && A[q U p]", "(E[p U q]) && (A[q U p])"),
    ],
)
def test_signs_of_other_tools_and_their_strength(text, same):
    assert wb.formula(text) == wb.formula(same)


def test_a_weak_until_is_read_as_a_release():
    p, q = wb.formula("p"), wb.formula("q")
    assert wb.formula("p W q") == wb.release(q, p | q)


def test_a_name_may_have_any_letters_and_in_python_be_an_operator():
    model = type(
        "Named", (Lamp,), {"a": wb.formula("[] <> größer"), "b": wb.always(wb.eventually(Lamp.until))}
    )
    assert wb.check(model).holds
    with pytest.raises(wb.ModelError, match=r"at character 4 .*, and 'until' is an operator"):
        wb.formula("[] until")


def test_a_text_that_is_nested_too_deeply_is_refused():
    with pytest.raises(wb.ModelError, match="nested too deeply"):
        wb.formula("!" * 5000 + "p")


def test_a_promise_is_taken_back_by_a_model_that_says_none():
    model = type("Promising", (Lamp,), {"dark": wb.always(~Lamp.shines)})
    assert wb.check(model).holds is False
    assert wb.check(type("Quiet", (model,), {"dark": None})).holds
    assert wb.check(type("Other", (model,), {"dark": wb.eventually("shines")})).holds
