"""A decoder whose dictionary has no room left begins a new one, and loses nothing."""

import sys

from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from workbench import otlp

TEXTS = 30_000  # a message; a dictionary has room for 65,536 at first


def logs(stem, texts=TEXTS):
    message = LogsData()
    scope = message.resource_logs.add().scope_logs.add()
    for number in range(texts):
        record = scope.log_records.add(severity_text="INFO")
        record.attributes.add(key="id").value.string_value = f"{stem}-{number}"
    return message.SerializeToString()


def metric(name, units):
    message = MetricsData()
    scope = message.resource_metrics.add().scope_metrics.add()
    for unit in units:
        scope.metrics.add(name=name, unit=unit)
    return message.SerializeToString()


def test_messages_of_new_texts_one_after_the_other():
    decoder = otlp.Decoder("logs")
    messages = [logs(f"message {number}") for number in range(5)]
    decoded = [decoder.decode(data) for data in messages]
    assert [part.to_otlp() for part in decoded] == messages
    assert otlp.concat(decoded).tables["log_attrs"]["str"].unique().to_pylist()[-1] == "message 4-29999"


def test_a_message_of_more_texts_than_a_dictionary_has_room_for():
    decoder = otlp.Decoder("logs")
    small, large = logs("small", 10), logs("large", 200_000)
    assert decoder.decode(small).to_otlp() == small
    assert decoder.decode(large).to_otlp() == large
    assert decoder.decode(small).to_otlp() == small


def test_what_followed_in_the_full_one_is_no_guess_in_the_new_one():
    decoder = otlp.Decoder("metrics")
    messages = [metric("m", [f"{part}-{number}" for number in range(25_000)]) for part in range(4)]
    few = metric("m", ["s", "By", "", "1", "s", "By"])
    for data in (few, *messages, few, messages[0], few):
        assert decoder.decode(data).to_otlp() == data


def test_encoding_holds_nothing():
    part = otlp.Logs.from_otlp(logs("held", 10))
    star = part._columns()
    held = [star, star.columns, star.columns.counts, star.columns.memory]  # which are this message's alone
    before = [sys.getrefcount(one) for one in held]
    part.to_otlp()
    assert [sys.getrefcount(one) for one in held] == before
