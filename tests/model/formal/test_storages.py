"""Searches that keep less than whole states: what they find is real, what they omit is estimated."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext
from math import comb, inf, log1p, sqrt

import numpy as np
import pytest
from agreement import summary
from small_models import Asserting, Bounded, Cube, Jugs, Overflowing, Stuck, Tokens

import workbench.model.formal as wb
from workbench.model.formal import _storages
from workbench.model.formal._storages import omissions_of

STORAGES = ["hash compaction", "bitstate", wb.HashCompaction(bits=40), wb.Bitstate(1 << 20, hashes=4, seed=7)]
MODELS = {
    "jugs": Jugs,
    "tokens": Tokens(4),
    "two words": Tokens(40),
    "stuck": Stuck,
    "asserting": Asserting,
    "bounded": Bounded,
    "cube": Cube(20),
    "two-phase commit": wb.library.TwoPhaseCommit(rm=4),
    "philosophers": wb.library.DiningPhilosophers(6),
}


def Star(rays):
    """Return a model from whose first state one step leads to each of the others, which are its last."""

    class Star(wb.Model):
        at = wb.Int(0, rays)

        @wb.action(k=range(1, rays + 1))
        def go(s, k):
            wb.require(s.at == 0)
            s.at = k

        @wb.terminal
        def anywhere(s):
            return True

    return Star


def found_by(verdict):
    """Return all that a verdict says of what was found, but not whether that is everything."""
    return {name: said for name, said in summary(verdict).items() if name not in ("holds", "bound")}


@pytest.mark.parametrize("storage", STORAGES, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_with_room_enough_all_is_found_that_is_there(name, storage):
    whole = wb.check(MODELS[name], engine="compiled")
    verdict = wb.check(MODELS[name], storage=storage)
    assert found_by(verdict) == found_by(whole)
    assert verdict.engine == "compiled"
    assert verdict.holds is (False if whole.violations else None)
    assert verdict.bound == str(verdict.omissions)
    assert 0 <= verdict.omissions.any < 0.01


@pytest.mark.parametrize("storage", STORAGES, ids=str)
def test_nothing_found_is_never_said_to_hold(storage):
    verdict = wb.check(Tokens(4), storage=storage)
    assert verdict.holds is None
    assert "undecided: storage='" in repr(verdict)
    assert "each state omitted with probability up to" in repr(verdict)
    assert "not exhaustive" in verdict._repr_html_()
    assert "bytes a state, exact storage" in verdict._repr_html_()


def test_a_violation_is_found_for_sure_and_still_says_what_may_be_omitted():
    verdict = wb.check(Jugs, storage="bitstate")
    assert verdict.holds is False
    assert verdict.replay() == verdict.trace
    assert "violated: invariant unsolved in 7 steps" in repr(verdict)
    assert "storage='bitstate'" in repr(verdict)
    assert "not exhaustive" in verdict._repr_html_()


@pytest.mark.parametrize(
    "limits",
    [{"max_states": 1}, {"max_states": 500}, {"max_states": 7999}, {"max_depth": 9}, {"max_depth": 58}],
)
@pytest.mark.parametrize("storage", STORAGES[:2])
def test_limits_end_a_search_where_they_end_an_exact_one(storage, limits):
    whole = wb.check(Cube(20), engine="compiled", **limits)
    verdict = wb.check(Cube(20), storage=storage, **limits)
    assert found_by(verdict) == found_by(whole)
    assert verdict.holds is None
    assert whole.bound in ("", verdict.bound)
    if whole.bound:
        assert "ended by max_" in repr(verdict)
        assert "storage='" in repr(verdict)


@pytest.mark.parametrize("storage", STORAGES[:2])
@pytest.mark.parametrize("name", ["jugs", "stuck", "asserting", "bounded", "philosophers"])
def test_the_first_violation_ends_the_search_if_asked_for(name, storage):
    whole = wb.check(MODELS[name], engine="compiled", stop_at_first=True)
    assert found_by(wb.check(MODELS[name], storage=storage, stop_at_first=True)) == found_by(whole)


def test_time_and_memory_that_run_out_are_said():
    assert wb.check(Cube(20), storage="bitstate", timeout_s=0.0).bound == "timeout_s=0"
    verdict = wb.check(Cube(60), storage="hash compaction", memory_bytes=1_000_000)
    assert (verdict.holds, verdict.bound) == (None, "memory_bytes=1,000,000")
    assert verdict.memory_bytes <= 1_000_000


def test_tables_of_hashes_grow():
    for bits in (44, 64):
        verdict = wb.check(Cube(60), storage=wb.HashCompaction(bits))
        assert (verdict.distinct, verdict.generated, verdict.depth) == (60**3, 1 + 3 * 60**2 * 59, 3 * 59 + 1)


def test_an_error_in_an_action_is_told():
    with pytest.raises(wb.ActionError, match=r"up\(\) in Overflowing"):
        wb.check(Overflowing, storage="bitstate")


class Broken(wb.Model):
    """Counts in two digits; its invariant cannot be judged in the last state."""

    at = wb.Array(2, wb.Int(0, 9))

    @wb.action(i=range(2))
    def up(s, i):
        wb.require(s.at[i] < 9)
        s.at[i] += 1

    @wb.invariant
    def divides(s):
        return 10 // (18 - s.at[0] - s.at[1]) >= 0


def test_an_error_in_an_invariant_is_told_of_the_state_that_it_is_in():
    with pytest.raises(wb.ActionError, match=r"invariant divides raised ZeroDivisionError.*at=\[9, 9\]"):
        wb.check(Broken, storage="hash compaction")


def wide(bits):
    """Return a model of large states: a counter, and what is nearly always nothing."""

    class Wide(wb.Model):
        at = wb.Array(3, wb.Int(0, 39))
        rest = wb.Array(bits // 64, wb.Int(0, 2**63 - 1))

        @wb.action(i=range(3))
        def up(s, i):
            wb.require(s.at[i] < 39)
            s.at[i] += 1

        @wb.terminal
        def anywhere(s):
            return True

        @wb.invariant
        def not_at_the_end(s):
            return s.at[0] + s.at[1] + s.at[2] < 3 * 39

    return Wide


@pytest.mark.parametrize("storage", [wb.HashCompaction(48), wb.Bitstate(1 << 20)], ids=str)
def test_large_states_take_less_memory_than_exact_storage_does(storage):
    model = wide(512)
    exact = wb.check(model, engine="compiled")
    verdict = wb.check(model, storage=storage)
    assert found_by(verdict) == found_by(exact)
    assert verdict.memory_bytes == verdict.omissions.memory_bytes < exact.memory_bytes / 4
    assert verdict.omissions.exact_bytes <= exact.memory_bytes
    assert len(verdict.trace) == 3 * 39 + 1
    assert verdict.replay() == verdict.trace


@pytest.mark.parametrize("storage", STORAGES[:2])
def test_symmetry_and_views_go_with_it(storage):
    model = wb.library.TwoPhaseCommit(rm=5)
    whole = wb.check(model, symmetry=True, engine="compiled")
    assert found_by(wb.check(model, symmetry=True, storage=storage)) == found_by(whole)
    seen = type("Seen", (Cube(9),), {"seen": wb.view(first_of)})
    assert wb.check(seen, storage=storage).distinct == wb.check(seen, engine="python").distinct == 9


def first_of(s):
    return s.at[0]


# what is omitted


@pytest.mark.parametrize(
    "storage", [wb.HashCompaction(16), wb.Bitstate(1 << 12), wb.Bitstate(1 << 12, hashes=1)], ids=str
)
def test_what_small_tables_omit_is_what_is_expected(storage):
    """In a star nothing hides behind an omitted state: the omitted are all states less those found."""
    rays, seeds = 3000, range(24)
    verdicts = [
        wb.check(Star(rays), storage=type(storage)(**{**fields(storage), "seed": seed})) for seed in seeds
    ]
    omitted = [rays + 1 - verdict.distinct for verdict in verdicts]
    assert all(verdict.generated == rays + 1 for verdict in verdicts)
    assert all(each > 0 for each in omitted)
    assert len(set(omitted)) > 1
    expected = [verdict.omissions.expected for verdict in verdicts]
    noise = np.std(omitted) / sqrt(len(seeds))
    assert abs(np.mean(omitted) - np.mean(expected)) < 4 * noise
    for verdict in verdicts:
        assert verdict.omissions.any > 0.99
        assert 0 < verdict.omissions.at_most < 1


def fields(storage):
    return {name: getattr(storage, name) for name in storage.__slots__}


@pytest.mark.parametrize("storage", [wb.HashCompaction(16), wb.Bitstate(1 << 9, hashes=2)], ids=str)
def test_any_state_is_omitted_as_often_as_is_said(storage):
    """About half of the searches of this size omit a state."""
    rays, seeds = (300 if isinstance(storage, wb.HashCompaction) else 206), range(160)
    model = Star(rays)
    verdicts = [wb.check(model, storage=type(storage)(**{**fields(storage), "seed": seed})) for seed in seeds]
    said = np.mean([verdict.omissions.any for verdict in verdicts])
    often = np.mean([verdict.distinct < rays + 1 for verdict in verdicts])
    assert 0.2 < said < 0.8
    assert abs(often - said) < 4 * sqrt(said * (1 - said) / len(seeds))


@pytest.mark.parametrize(
    "storage", [wb.HashCompaction(12), wb.Bitstate(1 << 10), wb.Bitstate(1 << 10, hashes=1)], ids=str
)
def test_a_search_that_omits_states_finds_real_ones_only(storage):
    model = wide(64)
    whole = wb.check(model, engine="compiled")
    verdict = wb.check(model, storage=storage)
    assert verdict.distinct < whole.distinct
    assert verdict.depth <= whole.depth
    assert all(a <= b for a, b in zip(verdict.statistics.levels, whole.statistics.levels, strict=False))
    if verdict.violations:
        assert verdict.replay() == verdict.trace
    else:
        assert verdict.holds is None


@pytest.mark.parametrize("seed", range(12))
def test_counterexamples_of_searches_that_omit_states_are_behaviours(seed):
    """Seven of ten states are omitted, or more; the way to each violation is found again all the same."""
    verdict = wb.check(FarOff, storage=wb.Bitstate(1 << 9, hashes=1, seed=seed))
    assert verdict.distinct < 40**2
    for violation in verdict.violations:
        assert wb.replay(FarOff, violation.trace) == violation.trace
    assert verdict.violations


class FarOff(wb.Model):
    """Goes through a square in many ways; each corner and the middle violate something else."""

    at = wb.Array(2, wb.Int(0, 39))

    @wb.action(i=range(2), far=(1, 2, 5))
    def up(s, i, far):
        wb.require(s.at[i] + far < 40)
        s.at[i] += far

    @wb.action
    def meets(s):
        wb.require(s.at[0] > 30 and s.at[1] > 30)
        assert s.at[0] != s.at[1]

    @wb.invariant
    def not_in_the_middle(s):
        return s.at[0] < 20 or s.at[1] < 20

    @wb.invariant
    def not_at_one_side(s):
        return s.at[0] < 38

    @wb.action_property
    def never_from_odd_to_odd(before, after):
        return (before.at[0] + before.at[1]) % 7 != 3 or (after.at[0] + after.at[1]) % 7 != 5


# the formulas


@pytest.mark.parametrize("stored", [0, 1, 2, 23, 100, 200, 254])
def test_hashes_are_shared_as_balls_share_bins(stored):
    """n of m bins are taken when ln(1 - n/m) / ln(1 - 1/m) balls were thrown, on average."""
    bins = 2**8 - 1
    balls = log1p(-stored / bins) / log1p(-1 / bins)
    said = omissions_of(wb.HashCompaction(8), stored)
    assert said.expected == pytest.approx(balls - stored, rel=1e-4, abs=1e-4)
    assert said.at_most == pytest.approx(stored / bins, rel=1e-4)
    whole, part = divmod(balls, 1)
    pairs = whole * (whole - 1) / 2 + part * whole
    assert said.any == pytest.approx(1 - (1 - 1 / bins) ** pairs, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("stored", [1, 10, 300, 10_000])
def test_any_hash_is_shared_as_a_birthday_is(stored):
    """The product of the birthday problem, with a day for each hash."""
    days, none = 2**24 - 1, Decimal(1)
    for number in range(stored):
        none *= 1 - Decimal(number) / days
    assert omissions_of(wb.HashCompaction(24), stored).any == pytest.approx(
        float(1 - none), rel=2e-3, abs=1e-12
    )


@pytest.mark.parametrize("load", [1e-6, 1e-3, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("hashes", [1, 2, 3, 7])
def test_the_states_met_are_as_many_as_are_stored_and_omitted(hashes, load):
    """How many are stored of N: a geometric series for each term of the binomial formula, by 60 digits."""
    bits = 8 << 12
    met = max(2, round(load * bits / hashes))
    with localcontext() as context:
        context.prec = 60
        clear = (1 - 1 / Decimal(bits)) ** hashes
        terms = ((1 - clear ** (j * met)) / (1 - clear**j) for j in range(1, hashes + 1))
        stored = sum((-1) ** j * comb(hashes, j + 1) * term for j, term in enumerate(terms))
        omitted = met - stored
    said = omissions_of(wb.Bitstate(1 << 12, hashes), float(stored))
    assert said.expected == pytest.approx(float(omitted), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("hashes", [1, 2, 3, 5])
def test_bits_are_taken_as_in_a_simulation(hashes):
    """Bits drawn at random for each of many states; those with all bits set before are omitted."""
    rng = np.random.default_rng(5)
    bits, arrivals, rounds = 1 << 11, 700, 60
    omitted, expected = [], []
    for _ in range(rounds):
        held, stored = np.zeros(bits, bool), 0
        for chosen in rng.integers(0, bits, (arrivals, hashes)):
            stored += not held[chosen].all()
            held[chosen] = True
        omitted.append(arrivals - stored)
        expected.append(omissions_of(wb.Bitstate(bits // 8, hashes), stored).expected)
    assert abs(np.mean(omitted) - np.mean(expected)) < 4 * np.std(omitted) / sqrt(rounds)


@pytest.mark.parametrize(
    "storage", [wb.HashCompaction(64), wb.HashCompaction(24), wb.Bitstate(), wb.Bitstate(1 << 14, 2)], ids=str
)
def test_long_sums_are_those_of_all_terms(storage, monkeypatch):
    short = omissions_of(storage, 300_000)
    monkeypatch.setattr(_storages, "SUMMED", 10**6)
    exact = omissions_of(storage, 300_000)
    assert short.any == pytest.approx(exact.any, rel=1e-9)
    assert short.expected == pytest.approx(exact.expected, rel=1e-9)


@pytest.mark.parametrize("storage", [wb.HashCompaction(8), wb.Bitstate(32, hashes=4)], ids=str)
def test_when_everything_is_taken_nobody_knows_how_many_are_omitted(storage):
    said = omissions_of(storage, 255)
    assert (said.at_most, said.any, said.expected) == (1.0, 1.0, inf)
    assert "any at all with 1 (countless expected)" in str(said)


def test_omissions_are_shown_in_words():
    said = omissions_of(wb.HashCompaction(32), 1_000_000, 9_000_000, 28_000_000)
    assert str(said) == (
        "storage='hash compaction': each state omitted with probability up to 0.00023, any at all with 1 "
        "(116 expected)"
    )
    assert said.saving == "9.0 bytes a state, exact storage 28.0 at least"


# what goes together


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"storage": "lossy"},
            "storage must be one of 'exact', 'hash compaction', 'bitstate', a HashCompaction",
        ),
        ({"storage": None}, "storage must be one of"),
        ({"storage": "bitstate", "engine": "python"}, "known to the compiled engine only"),
        (
            {"storage": "bitstate", "threads": 2},
            "goes with neither threads, nor a checkpoint, nor an executor",
        ),
        ({"storage": "bitstate", "checkpoint": "x.npz"}, "goes with neither threads"),
        ({"storage": "hash compaction", "reduction": True}, "known to the compiled engine only"),
    ],
    ids=str,
)
def test_what_has_no_meaning_is_refused(wrong, said):
    with pytest.raises(wb.ModelError, match=said):
        wb.check(Jugs, **wrong)


def test_other_processes_keep_whole_states():
    with ThreadPoolExecutor(1) as pool, pytest.raises(wb.ModelError, match="nor an executor"):
        wb.check(Jugs, storage="bitstate", executor=pool)


@pytest.mark.parametrize("engine", ["auto", "compiled"])
def test_behaviours_without_end_need_all_states(engine):
    model = type("Ending", (Cube(3),), {"ends": wb.eventually("at_the_end")})
    with pytest.raises(wb.ModelError, match="Ending has temporal properties, which need storage='exact'"):
        wb.check(model, storage="bitstate", engine=engine)


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [
        (wb.HashCompaction, {"bits": 7}, "bits must be an integer from 8 to 64, got 7"),
        (wb.HashCompaction, {"bits": 65}, "bits must be an integer from 8 to 64"),
        (wb.HashCompaction, {"bits": 40.0}, "bits must be an integer"),
        (wb.HashCompaction, {"seed": -1}, "seed must be an integer from 0 on"),
        (wb.Bitstate, {"memory_bytes": 1000}, "memory_bytes must be a power of two"),
        (wb.Bitstate, {"memory_bytes": 4}, "memory_bytes must be an integer from 8 on"),
        (wb.Bitstate, {"hashes": 0}, "hashes must be an integer from 1 to 16"),
        (wb.Bitstate, {"hashes": True}, "hashes must be an integer from 1 to 16"),
    ],
    ids=str,
)
def test_parameters_without_a_meaning_are_refused(kind, wrong, said):
    with pytest.raises(wb.ModelError, match=said):
        kind(**wrong)


def test_exact_storage_is_what_one_gets():
    assert wb.check(Jugs, storage="exact") == wb.check(Jugs)
    assert wb.check(Tokens(4), storage="exact").holds is True
    assert wb.check(Tokens(4)).omissions is None
