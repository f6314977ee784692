"""OTLP/JSON and protobuf that are damaged: nothing beyond the output is written, nothing is misread."""

import json
import random

import numpy as np
import pytest
from json_fuzz import official, random_text, reason, reference_json
from wire_fuzz import OFFICIAL, random_message

from workbench import otlp
from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec import _json_transcode
from workbench.otlp.codec._json_block import Text
from workbench.otlp.codec._json_transcode import (
    _parser_block,
    _printer_block,
    json_to_protobuf,
    protobuf_to_json,
)
from workbench.otlp.codec._kernel_json_parse import parse_message
from workbench.otlp.codec._kernel_json_print import print_message
from workbench.otlp.errors import MalformedError, OtlpError, TruncatedError

SIGNALS = list(OFFICIAL)


class TestRoom:
    """What lies behind an output is never written, however little room there is."""

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_kernels_stay_within_their_output(self, signal):
        short = 0
        for seed in range(300):
            rng = random.Random(seed)
            message = random_message(rng, OFFICIAL[signal])
            short += ends_within(rng, parse_message, _parser_block(signal, Text(random_text(rng, signal))))
            short += ends_within(
                rng, print_message, _printer_block(signal, Text(message.SerializeToString()))
            )
        assert short > 50

    def test_an_output_that_was_too_small_is_written_again(self, monkeypatch):
        monkeypatch.setattr(_json_transcode, "LEAST_ROOM", codes.SLACK)
        point = f'{{"bucketCounts":[{",".join("0" * 5000)}]}}'
        metric = f'{{"histogram":{{"dataPoints":[{point}]}}}}'
        text = f'{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}'.encode()
        wire = json_to_protobuf("metrics", text)
        assert len(wire) > 5 * codes.SLACK + 2 * len(text)
        assert json.loads(protobuf_to_json("metrics", wire)) == json.loads(text.replace(b"0", b'"0"'))


def ends_within(rng, kernel, block):
    """Run a kernel with little room; return whether it asked for more."""
    room = codes.SLACK + rng.randrange(2 * block.text.size + 1)
    out = np.full(room + 4096, 0xA5, np.uint8)
    block[codes.C_LIMIT] = out.ctypes.data + room
    stop = kernel(block.text.start, out.ctypes.data, block.address)
    assert (out[room:] == 0xA5).all()
    assert stop <= block[codes.C_LIMIT]
    return stop == -codes.ROOM


class TestDamagedText:
    """Each case is a seed; what one side refuses and the other takes has a reason listed in `json_fuzz`."""

    @pytest.mark.parametrize("block", range(4))
    def test_damaged_text_means_what_the_official_library_makes_of_it(self, block):
        compare(range(block * 300, block * 300 + 300))

    @pytest.mark.slow
    def test_much_damaged_text_means_the_same(self):
        compare(range(10_000, 15_000))

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_damaged_protobuf_never_prints_what_it_does_not_mean(self, signal):
        for seed in range(400):
            rng = random.Random(seed)
            wire = bytearray(random_message(rng, OFFICIAL[signal]).SerializeToString())
            for _ in range(rng.choice([1, 1, 2, 5])):
                if wire:
                    wire[rng.randrange(len(wire))] ^= 1 << rng.randrange(8)
            printed, meant = outcomes(protobuf_to_json, OFFICIAL[signal].FromString, signal, bytes(wire))
            assert (printed is None) == (meant is None)
            assert meant is None or printed == reference_json(meant)


def outcomes(ours, theirs, signal, wire):
    try:
        printed = ours(signal, wire)
    except MalformedError:
        printed = None
    try:
        return printed, theirs(wire)
    except Exception:  # noqa: BLE001 - the official library's own
        return printed, None


def compare(seeds):
    for seed in seeds:
        for signal in SIGNALS:
            text = random_text(random.Random(seed), signal)
            ours = theirs = ours_failed = theirs_failed = None
            try:
                ours = json_to_protobuf(signal, text)
            except OtlpError as error:
                ours_failed = error
            try:
                theirs = official(signal, text).SerializeToString(deterministic=True)
            except Exception as error:  # noqa: BLE001 - whatever json and json_format raise
                theirs_failed = error
            if ours is None and theirs is None:
                assert 0 <= ours_failed.offset <= len(text)
            elif ours is None or theirs is None:
                assert reason(ours_failed, theirs_failed, text), (seed, signal, ours_failed, theirs_failed)
            else:
                assert ours == theirs, (seed, signal)


@pytest.mark.parametrize("word", [b"null", b"true", b'"NaN"'])
def test_a_whole_word_for_a_document_is_wrong_and_not_cut_off(word):
    with pytest.raises(MalformedError, match="expected an object"):
        otlp.Traces.from_otlp(word, encoding="json")
    with pytest.raises(TruncatedError):
        otlp.Traces.from_otlp(word[:-1], encoding="json")
