"""Where a value of one kind becomes one of another: the compiled engine does what Python does, or says no."""

import pytest
from agreement import checked_by_both

import workbench.model.formal as wb


class Values(wb.Model):
    """Goes through many values, one field after the other."""

    n = wb.Int(0, 3)
    at = wb.Array(3, wb.Int(0, 2))
    queue = wb.Seq(wb.Int(0, 2), 3)
    held = wb.Set(wb.Int(0, 2))
    names = wb.Set(wb.Enum("b", "a"))
    owner = wb.Map(3, wb.Int(0, 2))

    @wb.action(i=range(3), x=range(3))
    def put(s, i, x):
        wb.require(len(s.queue) < 3)
        s.n = (s.n + 1) % 4
        s.at[i] = x
        s.queue.append(x)
        s.held.add(i)
        s.names.add("a" if x else "b")
        s.owner[i] = x

    @wb.terminal
    def anywhere(s):
        return True


def modelled(function):
    """Return the model with a property that is violated where a function is true."""
    return type("Judged", (Values,), {"property": wb.invariant(function)})


class Agreeing:
    """What both engines do alike."""

    def set_of_a_sequence(s):
        return len(set(s.queue)) == len(s.queue)

    def set_of_an_array(s):
        return set(s.at) != {1, 2}

    def frozenset_of_keys(s):
        return frozenset(s.owner) != {0, 2}

    def a_set_is_no_list(s):
        return s.held != [0, 1]

    def a_set_equals_a_frozenset(s):
        return s.held != frozenset((0, 1))

    def sides_of_booleans(s):
        x = s.n > 1 or len(s.queue) == 3
        return x != (s.n == 2 and 1 in s.held)

    def truth_of_any_sides(s):
        return (s.queue and s.n) or not s.held

    def list_of_an_array(s):
        return list(s.at) != [1, 2, 0]

    def sum_of_a_set_comprehension(s):
        return sum({x % 2 for x in s.at}) < 1 or sum(set(s.queue)) < 3

    def over_a_sorted_set(s):
        total = 0
        for x in sorted(s.held):
            total = total * 3 + x
        return total != 5

    def over_a_list_of_keys(s):
        return sum(key for key in list(s.owner)) < 3

    def three_sides_with_work(s):
        return not (s.at[s.n % 3] == 1 and s.queue[0] == 1 and s.at[s.queue[0]] == 1 and s.n == 3)


@pytest.mark.parametrize("name", [name for name in vars(Agreeing) if not name.startswith("_")])
def test_the_engines_agree(name):
    checked_by_both(modelled(vars(Agreeing)[name]))


class Refused:
    """What the interpreted engine does alone, for the compiled one would do something else."""

    def sorted_array(s):
        return sorted(s.at) != [0, 1, 2]

    def sorted_names(s):
        return [x for x in sorted(s.names)] != ["a", "b"]  # noqa: C416 - a loop is what is meant

    def in_reverse(s):
        return max(sorted(s.held, reverse=True)) < 2

    def value_of_a_side(s):
        x = s.n or 3
        return x > 1

    def compared_sides(s):
        return (s.n > 2 and s.n) != 3

    def a_sequence_is_no_tuple(s):
        return s.queue != (0, 1)

    def list_of_keys(s):
        return len(list(s.owner)) < 3

    def length_of_a_set_written_out(s):
        return len({s.n, s.at[0]}) == 2

    def sum_of_a_set_written_out(s):
        return sum({s.n, s.at[0]}) < 5

    def over_a_set_written_out(s):
        return sum(1 for x in {s.n, s.at[0]}) == 2


@pytest.mark.parametrize("name", [name for name in vars(Refused) if not name.startswith("_")])
def test_what_would_differ_is_refused(name):
    with pytest.raises(wb.NotCompilableError, match=rf"test_conversions.py:\d+: in {name}: "):
        wb.check(modelled(vars(Refused)[name]), engine="compiled")


class Ones(wb.Model):
    """Fills a set whose packed bits then are all ones, in two words."""

    held = wb.Set(range(128))

    @wb.action
    def fill(s):
        s.held = set(range(128))

    @wb.action
    def empty(s):
        s.held.clear()

    @wb.invariant
    def not_full(s):
        return len(s.held) < 128


@pytest.mark.parametrize("threads", [1, 2])
def test_a_state_of_ones_only_is_found(threads):
    verdict = wb.check(Ones, engine="compiled", threads=threads)
    assert (verdict.holds, verdict.distinct) == (False, 2)
