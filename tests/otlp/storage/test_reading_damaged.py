"""Whatever the bytes are: telemetry, or an `OtlpError` whose offset lies in the file; never anything else."""

import gzip
import json

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from strategies import MESSAGES

from workbench import otlp


@st.composite
def damaged(draw, data):
    data = bytearray(data)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


def written(message, form):
    data = message.SerializeToString()
    if form == "jsonl":
        return json.dumps(MessageToDict(message)).encode()  # its ids are base64: refused, unless absent
    framed = len(data).to_bytes(4, "big") + data
    return {"pb": data, "otlp": framed, "otlp.gz": gzip.compress(framed, 1)}[form]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pb", "otlp", "otlp.gz", "jsonl"])
@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
@given(data=st.data())
def test_damaged_files_are_read_or_refused_by_name(signal, form, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / f"{signal}.{form}"
    path.write_bytes(data.draw(damaged(written(data.draw(MESSAGES[signal]), form))))
    strict, lenient = attempt(path, "raise"), attempt(path, "skip")
    if isinstance(strict, otlp.OtlpError):
        assert strict.offset >= 0
        assert concerns_all(strict) if isinstance(lenient, otlp.OtlpError) else lenient.skipped > 0
    else:
        assert lenient == strict
        assert strict.skipped == 0


def attempt(path, on_error):
    try:
        return otlp.read(path, on_error=on_error)
    except otlp.OtlpError as error:
        return error


def concerns_all(error):
    """Say whether nothing of a file can be read: empty, compression broken, or not text."""
    return isinstance(error, otlp.EmptyInputError | otlp.CompressionError) or "UTF-8" in str(error)
