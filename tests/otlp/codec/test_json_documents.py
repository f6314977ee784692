"""Where the documents of a JSON file are, and what they name."""

import json
import random

import pytest
from json_fuzz import reference_json
from wire_fuzz import OFFICIAL, random_message

from workbench.otlp.codec._json_documents import json_documents, signal_of_json

SIGNALS = list(OFFICIAL)


class TestDocuments:
    @staticmethod
    def split(data):
        return [data[start : start + size] for start, size in json_documents(data).tolist()]

    @pytest.mark.parametrize("between", [b"\n", b"", b" ", b"\r\n\n"])
    @pytest.mark.parametrize("indent", [None, 1])
    def test_documents_follow_each_other_in_any_layout(self, between, indent):
        rng = random.Random(3)
        documents = [json.dumps(json.loads(_text(rng)), indent=indent).encode() for _ in range(20)]
        assert self.split(between.join(documents) + between) == documents

    def test_more_documents_than_a_batch(self):
        assert self.split(b"{}\n" * 5000) == [b"{}"] * 5000

    @pytest.mark.parametrize("data", [b"", b" \n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
    def test_blanks_are_no_document(self, data):
        assert self.split(data) == []

    def test_brackets_and_quotes_in_strings_are_text(self):
        documents = [b'{"a":"}{][\\"\\\\"}', b'{"\\\\":["\\\\\\""]}', b'["]"]']
        assert self.split(b"".join(documents)) == documents

    @pytest.mark.parametrize(
        "damaged",
        [
            b'{"a":',
            b'{"a":[1',
            b'{"a":"b',
            b'{"a":{}',
            b'{"a":[{"b":1}',
            b'{"a":"b\\',
            b"nonsense",
            b"]",
            b'{"a"',
            b"{",
        ],
    )
    def test_a_damaged_line_takes_no_neighbour_with_it(self, damaged):
        good = b'{"resourceLogs":[{}]}'
        assert self.split(b"\n".join([good, damaged, good, good])) == [good, damaged, good, good]

    def test_files_of_openings_take_time_in_proportion(self):
        data = b'{"a":[\n' * 100_000
        assert len(self.split(data)) == 100_000

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_a_document_names_its_signal(self, signal):
        key = f"resource{signal.capitalize() if signal != 'traces' else 'Spans'}"
        assert signal_of_json(f' {{ "{key}" : []}}'.encode()) == signal
        assert signal_of_json(f'{{"x":{{"resourceSpans":[]}},"{key}":1}}'.encode()) == signal
        assert signal_of_json(f'{{"x":"{"y" * 9000}","{key}":1'.encode()) == signal

    @pytest.mark.parametrize(
        "data", [b"", b"{}", b"[]", b'{"a":1}', b'{"resource_spans":[]}', b'{"a"', b"\xff"]
    )
    def test_a_document_without_a_known_key_names_none(self, data):
        assert signal_of_json(data) is None


def _text(rng):
    return reference_json(random_message(rng, OFFICIAL["logs"]))
