"""A behaviour as a table, as a sequence diagram, as a lasso, and on the page of its verdict."""

import re
import xml.etree.ElementTree as ET

import pytest
from small_models import Bounded, Jugs, Stuck, Tokens

import workbench.model.formal as wb
from workbench.model.formal._models import specification
from workbench.model.formal.pictures.changes import changes
from workbench.model.formal.pictures.processes import processes_of
from workbench.model.formal.pictures.sequences import _Drawing
from workbench.model.formal.verdicts import Step, Violation

Message = wb.Record(kind=wb.Enum("ask", "grant"), sender=range(3), receiver=range(3))


class Parts(wb.Model):
    """Every domain that has parts."""

    at = wb.Array(("a", "b"), wb.Int(0, 3))
    seen = wb.Set(range(4))
    queue = wb.Seq(range(4), 3)
    by = wb.Map(("k", "l"), range(4))
    point = wb.Record(x=range(4), y=range(4))
    pair = wb.Tuple(range(4), range(4))


class Network(wb.Model):
    """Two clients ask a server for a turn; both may get it."""

    net = wb.Set(Message)
    state = wb.Array(3, wb.Enum("idle", "waits", "has"))

    @wb.action(p=(1, 2))
    def ask(s, p):
        wb.require(s.state[p] == "idle")
        s.state[p] = "waits"
        s.net.add(Message(kind="ask", sender=p, receiver=0))

    @wb.action(p=(1, 2))
    def grant(s, p):
        wb.require(Message(kind="ask", sender=p, receiver=0) in s.net)
        s.net.discard(Message(kind="ask", sender=p, receiver=0))
        s.net.add(Message(kind="grant", sender=0, receiver=p))

    @wb.action(p=(1, 2))
    def get(s, p):
        wb.require(Message(kind="grant", sender=0, receiver=p) in s.net)
        s.net.discard(Message(kind="grant", sender=0, receiver=p))
        s.state[p] = "has"

    @wb.terminal
    def anywhere(s):
        return True

    @wb.invariant
    def one_at_a_time(s):
        return sum(1 for x in s.state if x == "has") < 2


class Ring(wb.library.ChangRoberts()):
    """An election that is not to end."""

    @wb.invariant
    def nobody_wins(s):
        return "won" not in s.role


class Commit(wb.library.TwoPhaseCommit(rm=2)):
    """Two-phase commit that is not to commit."""

    @wb.invariant
    def nobody_commits(s):
        return "committed" not in s.rms


class Waiting(wb.library.Peterson):
    """Without any hope for the first process."""

    gets_in = wb.eventually(lambda s: s.at[0] == "critical")


def drawn(violation):
    drawing = _Drawing(specification(violation.trace[0].state), violation)
    drawing.begin()
    for row in range(1, len(violation.trace)):
        drawing.step(row)
    return drawing


def first(model):
    return wb.check(model).violations[0]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"at": [0, 1]}, {"at": [0, 3]}, [("at[b]", "1 → 3", "3")]),
        ({"seen": {0, 1}}, {"seen": {1, 3}}, [("seen", "+3 −0", "+3 −0")]),  # noqa: RUF001
        ({"queue": [1, 2]}, {"queue": [1, 2, 3]}, [("queue", "+3", "+3")]),
        ({"queue": [1, 2]}, {"queue": [2]}, [("queue", "−1", "−1")]),  # noqa: RUF001
        ({"queue": [1, 2]}, {"queue": [2, 1]}, [("queue", "<1, 2> → <2, 1>", "<2, 1>")]),
        ({"by": {"k": 1}}, {"by": {"k": 2, "l": 0}}, [("by[k]", "1 → 2", "2"), ("by[l]", "+0", "0")]),
        ({"by": {"k": 1}}, {"by": {}}, [("by[k]", "removed", "removed")]),
        ({"point": {"x": 0, "y": 1}}, {"point": {"x": 2, "y": 1}}, [("point.x", "0 → 2", "2")]),
        ({"pair": (0, 1)}, {"pair": (0, 2)}, [("pair", "(0, 1) → (0, 2)", "(0, 2)")]),
        ({}, {}, []),
    ],
    ids=[
        "array",
        "set",
        "append",
        "pop",
        "other sequence",
        "map",
        "entry gone",
        "record",
        "tuple",
        "nothing",
    ],
)
def test_a_change_is_said_of_the_part_that_changed(before, after, said):
    declared = specification(Parts)
    found = changes(declared, declared.freeze(Parts(**before)), declared.freeze(Parts(**after)))
    assert [(each.where, each.text, each.short) for each in found] == said


def test_a_table_has_what_each_step_changed():
    table = wb.check(Jugs).table()
    assert table.columns == ("step", "action", "big", "small")
    assert table.rows[0] == ("0", "init", "0", "0")
    assert table.rows[2] == ("2", "big_to_small()", "5 → 2", "0 → 3")
    assert table.rows[3] == ("3", "empty(k=1)", "", "3 → 0")
    assert table.title == "Jugs: invariant unsolved is violated, after 6 actions"


def test_many_fields_share_a_column():
    trace = wb.walk(wb.library.PaxosCommit(), steps=6, seed=3)
    table = Violation("reached", "x", trace).table()
    assert table.columns == ("step", "action", "changes")
    assert len(table.rows) == 7
    assert "→" in repr(table) or "+" in repr(table)


def test_a_behaviour_that_never_ends_says_where_it_goes_on():
    violation = first(Waiting)
    assert violation.table().rows[-1][1] == f"the state of step {violation.loop} again, and so on for ever"
    assert "back to row" in violation.sequence().text
    assert ET.fromstring(violation.lasso().svg) is not None


def test_without_a_behaviour_the_table_is_empty():
    assert wb.check(Tokens(3)).table().rows == ()


@pytest.mark.parametrize(
    ("model", "keys", "fields"),
    [
        (wb.library.DiningPhilosophers(4), (0, 1, 2, 3), {"phase"}),
        (wb.library.TwoPhaseCommit(3), (0, 1, 2), {"rms"}),
        (wb.library.Peterson, (0, 1), {"at", "flag"}),
        (Ring, (0, 1, 2), {"begun", "inbox", "role"}),
        (wb.library.DieHard, (), set()),
    ],
    ids=["philosophers", "two-phase commit", "Peterson", "ring", "jugs"],
)
def test_processes_are_found_in_the_text_of_the_actions(model, keys, fields):
    found = processes_of(specification(model))
    assert found.keys == keys
    assert fields <= found.fields


def test_without_processes_each_field_has_a_lifeline():
    drawing = drawn(first(Jugs))
    assert drawing.lifelines == ["big", "small"]
    assert [box for box in drawing.boxes if box[0] == 2] == [(2, "big", "2"), (2, "small", "3")]
    assert drawing.arrows == []


def test_what_a_process_changes_elsewhere_is_an_arrow():
    drawing = drawn(first(Commit))
    assert [line for line in drawing.lifelines if line.startswith("r ")] == ["r 0", "r 1"]
    sent = [arrow for arrow in drawing.arrows if arrow[2] == "sent"]
    assert [(source, text) for _, source, _, text, _ in sent] == [("r 0", "+0"), ("r 1", "+1")]
    assert drawing.footnote == "not drawn, for they never change: abort_sent"


def test_a_message_with_a_sender_and_a_receiver_arrives_where_it_is_taken_out():
    drawing = drawn(first(Network))
    assert drawing.lifelines == ["p 0", "p 1", "p 2"]
    assert len(drawing.arrows) == 4
    for row, source, target, text, arrival in drawing.arrows:
        assert arrival > row
        assert (target if text == "ask" else source) == "p 0"


def test_what_is_put_into_anothers_set_arrives_where_it_is_taken_out():
    drawing = drawn(first(Ring))
    assert [(source, target, arrival > row) for row, source, target, _, arrival in drawing.arrows] == [
        ("i 0", "i 1", True),
        ("i 1", "i 2", True),
        ("i 2", "i 0", True),
    ]


@pytest.mark.parametrize("model", [Jugs, Stuck, Bounded, Commit, Network, Ring, Waiting])
def test_every_picture_of_a_behaviour_is_sound_and_stable(model):
    violation = first(model)
    for draw in (violation.sequence, violation.lasso):
        picture = draw()
        ET.fromstring(picture.svg)
        assert draw().svg == picture.svg


@pytest.mark.parametrize("steps", [1, 6, 7, 8, 30])
@pytest.mark.parametrize("loop", [None, 0, 3, 28])
def test_a_long_lasso_says_how_many_states_are_not_drawn(steps, loop):
    if loop is not None and loop >= steps:
        return
    trace = [Step("up" if n else None, {}, Stuck(n=n % 4)) for n in range(steps + 1)]
    picture = Violation("temporal" if loop is not None else "invariant", "x", trace, loop).lasso()
    states = steps + (loop is None)
    found = re.search(r"\((\d+) states? not drawn\)", picture.svg)
    hidden = int(found[1]) if found else 0
    assert picture.text.startswith(f"graph of {states - hidden} node")
    assert states - hidden <= 7


def test_of_many_processes_those_that_nothing_happens_to_are_not_drawn_and_counted():
    class Relay(wb.Model):
        at = wb.Array(60, wb.Bool())

        @wb.action(i=range(60))
        def hand_on(s, i):
            wb.require(not s.at[i] and all(s.at[j] for j in range(i)))
            s.at[i] = True

        @wb.invariant
        def third_waits(s):
            return not s.at[2]

    picture = wb.check(Relay).sequence().svg
    assert "i 2<" in picture
    assert "i 3<" not in picture
    assert "not drawn, for nothing happens to them: 57 of 60 processes" in picture


def test_the_page_of_a_verdict_says_all_of_it():
    page = wb.check(Jugs)._repr_html_()
    for words in (
        "violated",
        "97",
        "Every action was enabled somewhere",
        "big_to_small",
        "5 → 2",
        "data:image/svg",
    ):
        assert words in page


def test_the_page_names_actions_that_were_never_enabled():
    class Dead(Stuck):
        @wb.action
        def never(s):
            wb.require(s.n > 3)

    assert "Never enabled: never" in wb.check(Dead)._repr_html_()


def test_the_page_says_what_ended_the_search():
    page = wb.check(Tokens(4), max_states=3)._repr_html_()
    assert "undecided" in page
    assert "max_states=3" in page


def test_names_of_a_model_cannot_break_the_page():
    class Markup(wb.Model):
        text = wb.Enum("<b>", "&amp;</table>")

        @wb.action
        def change(s):
            wb.require(s.text == "<b>")
            s.text = "&amp;</table>"

    page = wb.check(Markup)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
