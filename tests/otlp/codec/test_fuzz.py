"""What the official parser accepts is accepted, and comes out as the official library writes it."""

import random

import pytest
from google.protobuf.message import DecodeError
from wire_fuzz import OFFICIAL, mutate, random_message

from workbench import otlp

CASES = 200_000
PARTS = 8
MUTANTS = 16  # of each random message


@pytest.fixture(scope="module")
def tally():
    return {"accepted": 0, "refused": 0}


def cases(part):
    """Yield signal and bytes of each case of a part; the same in every run."""
    signals = list(OFFICIAL)
    for number in range(-(-CASES // (PARTS * MUTANTS))):
        rng = random.Random(f"{part}-{number}")
        signal = signals[number % len(signals)]
        base = random_message(rng, OFFICIAL[signal]).SerializeToString()
        for _ in range(MUTANTS):
            yield signal, mutate(rng, base, OFFICIAL[signal].DESCRIPTOR)


def official(signal, data):
    try:
        return OFFICIAL[signal].FromString(data).SerializeToString()
    except DecodeError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_acceptance_and_encoding_are_the_official_librarys(part, tally):
    decoders = {signal: otlp.Decoder(signal) for signal in OFFICIAL}
    for number, (signal, data) in enumerate(cases(part)):
        if number % 997 == 0:
            decoders[signal] = otlp.Decoder(signal)  # what was learnt must not matter
        expected = official(signal, data)
        try:
            found = decoders[signal].decode(data).to_otlp()
        except otlp.OtlpError:
            found = None
        assert found == expected, f"case {number} of part {part}: {signal} {data.hex()}"
        tally["refused" if expected is None else "accepted"] += 1


@pytest.mark.slow
def test_both_outcomes_are_common_among_the_cases(tally, capsys):
    total = sum(tally.values())
    shares = {name: count / total for name, count in tally.items()}
    with capsys.disabled():
        print(f"\n{total:,} cases: {shares['accepted']:.1%} accepted, {shares['refused']:.1%} refused")
    assert total >= CASES
    assert min(shares.values()) >= 0.3
