"""The compiled engine's keys of states: equal exactly where the interpreted engine's are."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written import NAMES, Word

import workbench.model.formal as wb
from workbench.model.formal._symmetry import canonical_form
from workbench.model.formal.compiling.programs import written
from workbench.model.formal.compiling.representatives import _exchanges, orders
from workbench.model.formal.domains.symmetric import permuted, renamings, symmetric_in
from workbench.model.formal.interpreting.steps import viewed


def model_of(fields, view=None):
    """Return a model of some fields that never changes."""
    members = dict(fields)
    if view is not None:
        members["seen"] = wb.view(view)
    return type("Still", (wb.Model,), members)


def by_name(a, b, c):
    """Return fields of many forms, over three domains of interchangeable values."""
    message = wb.Record(kind=wb.Enum("ask", "tell"), sender=a, told=wb.Maybe(a))
    return {
        "rows": {"x": wb.Array(a, wb.Int(0, 3)), "y": wb.Set(a), "z": wb.Int(0, 1)},
        "many rows": {"x": wb.Array(c, wb.Int(0, 1)), "y": wb.Set(c), "z": wb.Array(c, wb.Bool())},
        "wide rows": {
            "x": wb.Array(a, wb.Int(-(10**9), 10**9)),
            "y": wb.Array(a, wb.Record(p=wb.Int(0, 10**15), q=wb.Int(0, 10**15))),
            "z": wb.Set(a),
        },
        "a value": {"x": a, "y": wb.Array(a, wb.Int(0, 2))},
        "perhaps a value": {"x": wb.Maybe(a), "y": wb.Seq(a, 3), "z": wb.Set(a)},
        "a map": {"x": wb.Map(a, wb.Int(0, 2)), "y": wb.Map(3, a)},
        "values by key": {"x": wb.Array(a, a), "y": wb.Array(2, wb.Maybe(a))},
        "two domains": {"x": wb.Array(a, wb.Int(0, 1)), "y": wb.Array(b, a), "z": wb.Set(b)},
        "messages": {"x": wb.Set(message), "y": wb.Array(a, wb.Int(0, 1))},
        "a queue of messages": {"x": wb.Seq(message, 2), "y": wb.Maybe(message)},
        "a long queue": {"x": wb.Seq(message, 12), "y": a},
        "sets by key": {"x": wb.Array(a, wb.Set(a)), "y": wb.Tuple(a, wb.Set(b))},
        "a large array": {"x": wb.Array(a, wb.Seq(a, 9)), "y": wb.Int(0, 5)},
        "a large map": {"x": wb.Map(a, wb.Array(16, a)), "y": wb.Maybe(a)},
        "large values": {
            "x": wb.Maybe(wb.Array(30, a)),
            "y": wb.Tuple(wb.Array(40, wb.Bool()), a, wb.Array(40, b)),
        },
        "many messages": {"x": wb.Set(wb.Record(to=a, of=b, number=wb.Int(0, 11))), "y": a},
        "nothing to choose": {"x": wb.Array(wb.Symmetric(1), wb.Int(0, 3)), "y": a},
    }


FORMS = list(by_name(wb.Symmetric(2), wb.Symmetric(2), wb.Symmetric(2)))


class Keys:
    """The function of a model's compiled text that says which states are the same, run by Python."""

    def __init__(self, declared, alike):
        text = written(declared, alike)
        self.layout, self.key_words = text.layout, text.key_words
        names = {**NAMES, "orders": lambda size: [Word(order) for order in orders(size)]}
        exec(compile(text.source, "written", "exec"), names)
        self.key_of = names["key_of"]

    def __call__(self, state):
        """Return the words of a state's key."""
        status, *words = self.key_of(*map(Word, self.layout.pack(state)))
        assert status == 1
        assert len(words) == self.key_words
        return tuple(map(int, words))


@cache
def keys_by_name(name):
    declared = model_of(by_name(wb.Symmetric(3), wb.Symmetric(2), wb.Symmetric(11))[name]).__specification__
    return declared, Keys(declared, "symmetry")


def drawn(domain, rng):
    """Return a random frozen value, few parts as likely as many."""
    if isinstance(domain, wb.Seq):
        return tuple(drawn(domain.of, rng) for _ in range(rng.randint(0, domain.most)))
    if isinstance(domain, wb.Array):
        return tuple(drawn(domain.of, rng) for _ in domain.keys)
    if isinstance(domain, wb.Map):
        return tuple((drawn(domain.of, rng),) if rng.random() < 0.5 else () for _ in domain.keys)
    if isinstance(domain, wb.Record | wb.Tuple):
        return tuple(drawn(part, rng) for part in domain.parts)
    return drawn_whole(domain, rng)


def drawn_whole(domain, rng):
    if isinstance(domain, wb.Set):
        return sum(1 << number for number in range(len(domain.elements)) if rng.random() < 0.3)
    if isinstance(domain, wb.Maybe):
        return None if rng.random() < 0.4 else drawn(domain.of, rng)
    if isinstance(domain, wb.Int):
        return rng.randint(domain.low, domain.high)
    return rng.choice(list(domain.frozen_values()))


def state_of(declared, rng):
    return tuple(drawn(domain, rng) for domain in declared.fields.values())


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_renamings_of_a_state_have_its_key_and_no_other_state_has(name, seed):
    declared, key_of = keys_by_name(name)
    rng = random.Random(seed)
    states = [state_of(declared, rng) for _ in range(3)]
    for state in list(states):
        renaming = {
            domain: tuple(rng.sample(range(len(domain)), len(domain)))
            for domain in symmetric_in(declared.fields.values())
        }
        pairs = zip(declared.fields.values(), state, strict=True)
        states.append(tuple(permuted(domain, value, renaming) for domain, value in pairs))
    mine, theirs = list(map(key_of, states)), list(map(canonical_form(declared), states))
    for one in range(len(states)):
        for other in range(one):
            assert (mine[one] == mine[other]) == (theirs[one] == theirs[other])


@pytest.mark.parametrize("name", ["a value", "two domains", "messages", "a long queue", "a large map"])
def test_where_all_renamings_are_tried_the_key_is_one_of_them(name):
    declared, key_of = keys_by_name(name)
    state = state_of(declared, random.Random(1))
    renamed = {
        tuple(
            permuted(domain, value, each)
            for domain, value in zip(declared.fields.values(), state, strict=True)
        )
        for each in renamings(symmetric_in(declared.fields.values()))
    }
    assert key_of.layout.unpack(key_of(state)) in renamed


@pytest.mark.parametrize("count", range(14))
def test_the_network_sorts(count):
    """It is enough that it sorts all sequences of zeros and ones (Knuth, 5.3.4, theorem Z)."""
    for number in range(2**count):
        values = [number >> place & 1 for place in range(count)]
        for one, other in _exchanges(count):
            if values[one] > values[other]:
                values[one], values[other] = values[other], values[one]
        assert values == sorted(values)


def test_what_has_too_many_renamings_is_said():
    members = wb.Symmetric(9)
    declared = model_of({"x": members, "y": wb.Set(members)}).__specification__
    with pytest.raises(
        wb.NotCompilableError, match="362,880 renamings; the compiled engine tries 40,320 at most"
    ):
        written(declared, "symmetry")


def test_what_has_no_renaming_of_its_packed_form_is_said():
    members = wb.Symmetric(3)
    declared = model_of({"x": wb.Set(wb.Seq(members, 2))}).__specification__
    with pytest.raises(wb.NotCompilableError, match="is renamed by the interpreted engine only"):
        written(declared, "symmetry")


FIELDS = {
    "flag": wb.Bool(),
    "n": wb.Int(-3, 4),
    "big": wb.Int(-(2**40), 2**40),
    "at": wb.Array(4, wb.Int(0, 2)),
    "wide": wb.Array(30, wb.Int(0, 7)),
    "names": wb.Set(wb.Enum("a", "b", "c")),
    "queue": wb.Seq(wb.Int(0, 1), 3),
    "held": wb.Maybe(wb.Int(0, 2)),
    "mail": wb.Record(kind=wb.Enum("ask", "tell"), number=wb.Int(0, 2)),
}


class Views:
    """Each is a view, and compiled."""

    def flag(s):
        return s.flag

    def negative(s):
        return s.n - 1

    def large(s):
        return s.big

    def some(s):
        return s.n, s.flag, s.held

    def nested(s):
        return (s.n, (s.flag, s.mail)), s.held

    def parts(s):
        return tuple(s.at), frozenset(s.names)

    def many_words(s):
        return tuple(s.wide), s.flag

    def counted(s):
        return sum(1 for x in s.at if x), len(s.queue), max(s.at)

    def as_set(s):
        return frozenset(s.queue)

    def as_sequence(s):
        return tuple(s.queue)

    def compared(s):
        return s.n > 0, s.held is None, s.n == 3 and s.flag

    def nothing(s):
        return ()

    def one_constant(s):
        return 7

    def branches(s):
        if s.flag:
            return s.n, True
        if s.n < 0:
            return s.n, 0
        return 3, s.flag

    def with_a_text(s):
        return "n", s.n

    def part_of_a_record(s):
        return s.mail.kind


VIEWS = {name: function for name, function in vars(Views).items() if not name.startswith("_")}


@cache
def keys_by_view(name):
    declared = model_of(FIELDS, VIEWS[name]).__specification__
    return declared, Keys(declared, "view"), viewed(declared, declared.of_kind("view")[0])


@pytest.mark.parametrize("name", VIEWS)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_states_have_equal_keys_where_their_views_are_equal(name, seed):
    declared, key_of, view = keys_by_view(name)
    rng = random.Random(seed)
    states = [state_of(declared, rng)]
    for _ in range(7):  # each differs from one before it in one field
        changed = list(rng.choice(states))
        field = rng.randrange(len(changed))
        changed[field] = drawn(list(declared.fields.values())[field], rng)
        states.append(tuple(changed))
    mine, theirs = [key_of(state) for state in states], [view(state) for state in states]
    for one in range(len(states)):
        for other in range(one):
            assert (mine[one] == mine[other]) == (theirs[one] == theirs[other])


class NotCompiled:
    """Views that are left to the interpreted engine, each with what is said of it."""

    def of_two_kinds(s):
        """The results of a view must all be of the same kind."""
        if s.flag:
            return s.n
        return s.held

    def without_end(s):  # noqa: RET503 - that is what it shows
        """May end without `return`."""
        if s.flag:
            return 1

    def in_an_order(s):
        """This order is known to the interpreted engine only."""
        return tuple(sorted(s.at))

    def either(s):
        """Known of booleans only."""
        return s.n or 3

    def too_large(s):
        """May have more than 64 bits."""
        return s.big * s.big

    def of_a_map(s):
        """A view returns numbers, values of fields, or tuples of them."""
        return {1, s.n}


REFUSED = {name: function for name, function in vars(NotCompiled).items() if not name.startswith("_")}


@pytest.mark.parametrize("name", REFUSED)
def test_a_view_that_is_not_compiled_is_said(name):
    said = REFUSED[name].__doc__.rstrip(".")[1:]
    with pytest.raises(wb.NotCompilableError, match=said):
        written(model_of(FIELDS, REFUSED[name]).__specification__, "view")
