"""How good an answer is, by its age: against RFC 5861 in words, in both worlds. And what fallbacks count."""

import math

from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines import cache, fallback

PERIODS = st.sampled_from([0.0, 1.0, 5.0, math.inf])
TIMES = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 12.0])


def in_words(ttl_s, revalidate_s, error_s, age_s):
    if ttl_s > age_s:
        return "hits", cache.FRESH
    if age_s - ttl_s < revalidate_s:
        return "stale", cache.STALE
    return "misses", cache.FALLBACK if age_s - ttl_s < error_s else cache.MISSING


@given(
    ttl_s=st.sampled_from([1.0, 5.0, math.inf]),
    revalidate_s=PERIODS,
    error_s=PERIODS,
    looks=st.lists(st.tuples(st.one_of(TIMES, st.just(-math.inf)), TIMES), max_size=30),
)
def test_an_answer_is_as_good_as_the_rfc_says_in_both_worlds(
    both_worlds, ttl_s, revalidate_s, error_s, looks
):
    worlds = both_worlds(cache.Parameters(ttl_s, revalidate_s, error_s), cache.State())
    counts = {"hits": 0, "stale": 0, "misses": 0}
    for stored_s, later_s in looks:
        now = later_s if stored_s == -math.inf else stored_s + later_s
        if stored_s == -math.inf and math.inf in (ttl_s, revalidate_s, error_s):
            continue  # an answer that was never stored is not asked about where age does not matter
        count, grade = in_words(ttl_s, revalidate_s, error_s, now - stored_s)
        counts[count] += 1
        assert worlds.step(cache.look, stored_s, now, use=(0, 1)) == grade
    assert counts == {name: getattr(worlds.live[1], name) for name in counts}


@given(calls=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40))
def test_fallbacks_count_alike_in_both_worlds(both_worlds, calls):
    worlds, expected = both_worlds(fallback.State()), [0, 0, 0, 0]
    for outcome, replaced in calls:
        if outcome == fallback.SERVED:
            worlds.step(fallback.succeed, use=(0,))
            expected[0] += 1
            continue
        seen = worlds.step(fallback.replace, outcome, replaced, use=(0,))
        assert seen == (fallback.SERVED if replaced else fallback.FAILED)
        expected[3 if not replaced else 2 if outcome == fallback.REFUSED else 1] += 1
    s = worlds.live[0]
    assert [s.succeeded, s.hidden, s.refused, s.failed] == expected
