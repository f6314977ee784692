"""Masking and Drain, against regular expressions and a plain twin; what was filled in; matching."""

import collections
import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from otlp.text.drain_twin import Drain
from otlp.text.masks_twin import KINDS, mask

from workbench import otlp
from workbench.otlp.text import _kernel_drain
from workbench.otlp.text._kernel_parts import masked

PARTS = [
    *("2026-01-31", "2026-01-31T23:59:59.123Z", "2026-01-31 23:59 +0100", "23:59:59,5", "23:59", "2026-1-3"),
    *(
        "123e4567-e89b-12d3-a456-426614174000",
        "123e4567-e89b-12d3-a456",
        "00:1a:2b:3c:4d:5e",
        "00-1A-2B-3C-4D-5E",
    ),
    *("10.0.0.1", "1.2.3.4.5", "fe80::1", "::1", "a::b", "1:2:3:4:5:6:7:8", "1::2::3", "::", "dead::beef1"),
    *(
        "0x7ffd5e",
        "0x",
        "deadbeef",
        "deadbee1",
        "12345678",
        "42",
        "-1.5",
        "+3",
        "1,234,567",
        "6.02e23",
        "5e",
        "35ms",
    ),
    *(
        "35mins",
        "A1B2C3",
        "sha256",
        "http2",
        "user_42",
        "v1.2.3",
        "<num>",
        "<ip>",
        "<*>",
        "<time",
        "ann",
        "bob",
    ),
    *(
        "=",
        ":",
        "-",
        "+",
        ".",
        ",",
        "_",
        "/",
        "[",
        "]",
        "%",
        " ",
        "  ",
        "\t",
        "é",
        "x",
        "7",
        "a",
        "e",
        "T",
        "Z",
    ),
]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
SOME_KINDS = st.sets(st.sampled_from(KINDS)) | st.just(set(KINDS))


def compiled_mask(text, kinds=KINDS):
    raw = np.frombuffer(text, np.uint8)
    out = np.empty(6 * len(raw) + 1, np.uint8)
    active = sum(1 << KINDS.index(kind) for kind in kinds)
    size = masked(raw.ctypes.data, raw.ctypes.data + len(raw), active, out)
    return out[:size].tobytes()


@given(TEXTS, SOME_KINDS)
@example("2026-01-31 23:59:59 +01:00.", set(KINDS))
@example("at 2026-01-31T23:59x", set(KINDS))
@example("+2026-01-31 -10.0.0.1 -5 a-5", set(KINDS))
@example("[fe80::1]: fe80::1: 1:2:3:4:5:6:7:8:9", set(KINDS))
def test_masks_are_the_regular_expressions(text, kinds):
    assert compiled_mask(text.encode(), kinds) == b" ".join(mask(text.encode(), kinds)[0].split())


@given(st.binary(max_size=60))
def test_any_bytes_can_be_masked(text):
    assert compiled_mask(text) == b" ".join(mask(text)[0].split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("payment 4711 took 35ms", "payment <num> took <num>ms"),
        ("GET /api/v1/orders/815 status=404", "GET /api/v1/orders/<num> status=<num>"),
        ("peer 10.0.0.1:8080 via [fe80::1%eth0]", "peer <ip>:<num> via [<ip>%eth0]"),
        ("2026-01-31T23:59:59.123Z INFO started", "<time> INFO started"),
        ("at 2026-01-31 23:59:59,123 pool-3 died", "at <time> pool-<num> died"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace <hex>"),
        ("order 123e4567-e89b-12d3-a456-426614174000!", "order <uuid>!"),
        ("request req_8f3kd92x of user_id=u1", "request <id> of user_id=u1"),
        ("balance -12.50 EUR, delta=+3%, range 5-7", "balance <num> EUR, delta=<num>%, range <num>-<num>"),
        ("nothing to mask in std::vector<int> here", "nothing to mask in std::vector<int> here"),
    ],
)
def test_masks_leave_what_a_reader_needs(text, expected):
    assert compiled_mask(text.encode()).decode() == expected


WORDS = ["a", "b", "c", "d", "e", "<*>", "x1", "y2", "7", "10.0.0.1", "order", "paid"]
LINES = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.none(), max_size=60)
OPTIONS = st.fixed_dictionaries(
    {
        "depth": st.integers(3, 7),
        "similarity": st.sampled_from([0.0, 0.25, 0.4, 0.5, 0.75, 1.0]),
        "max_children": st.integers(1, 5) | st.just(100),
        "max_clusters": st.none() | st.integers(1, 5),
        "masks": st.sampled_from([(), ("num",), KINDS]),
    }
)


def check_against_twin(lines, templates, options):
    twin = Drain(**options)
    ids = [-1 if line is None else twin.add(line) for line in lines]
    assert templates.ids.tolist() == ids
    assert templates.table["template"].to_pylist() == [" ".join(tokens) for tokens in twin.templates]
    assert templates.table["count"].to_pylist() == twin.counts


@given(LINES, OPTIONS, st.integers(0, 60))
def test_templates_are_those_of_a_plain_drain(lines, options, cut):
    """Whatever the parameters, and wherever the column is cut into chunks."""
    column = pa.chunked_array(
        [pa.array(lines[:cut], pa.string()), pa.array(lines[cut:], pa.large_string()).cast("string")]
    )
    check_against_twin(lines, otlp.mine_templates(column, **options), options)


@pytest.mark.parametrize(
    "options", [{}, {"max_clusters": 300}, {"depth": 6, "max_children": 10, "similarity": 0.7}]
)
def test_thousands_of_templates_are_those_of_a_plain_drain(options):
    """Every array has to grow several times."""
    rng = np.random.default_rng(11)
    words = np.array([f"{a}{b}" for a in "abcdefghijklmnop" for b in "qrstuvwxyz"] + ["5", "10.0.0.1", "k9"])
    lines = [" ".join(rng.choice(words, rng.integers(0, 9))) for _ in range(2500)]
    templates = otlp.mine_templates(pa.array(lines), **options)
    assert len(templates) > 600
    check_against_twin(lines, templates, options)


def test_the_wildcard_has_the_hash_of_its_name():
    raw, tokens = np.frombuffer(b"<*>", np.uint8), np.empty(2, np.int64)
    _kernel_drain.hash_tokens(raw.ctypes.data, raw.ctypes.data + 3, 0, tokens, np.empty(2, np.bool_))
    assert tokens[0] == _kernel_drain.ANYTHING


def test_tokens_that_differ_have_different_hashes():
    """All words of up to three letters of a small alphabet, and long ones that differ in one byte."""
    letters = [bytes([code]) for code in b"abcxyz<>*\x00\xff"]
    short = [a + b + c for a in [b"", *letters] for b in [b"", *letters] for c in letters]
    long = [b"k" * at + b"j" + b"k" * (40 - at) for at in range(40)] + [b"k" * size for size in range(4, 40)]
    words = sorted({*short, *long})
    line = np.frombuffer(b" ".join(words), np.uint8)
    tokens, numeric = np.empty(len(words), np.int64), np.empty(len(words), np.bool_)
    assert _kernel_drain.hash_tokens(
        line.ctypes.data, line.ctypes.data + len(line), 0, tokens, numeric
    ) == len(words)
    assert len(set(tokens.tolist())) == len(words)


@pytest.fixture(scope="module")
def payments():
    return pa.array(
        [
            "payment 11 of ann took 35ms",
            "pool 10.0.0.1:8080 timed out",
            None,
            "payment 12 of bob took 7ms",
            "",
            "pool 10.0.0.2:8080 timed out",
            "payment 13 of eve took 1,250ms",
        ]
    )


def test_templates_are_a_table(payments):
    templates = otlp.mine_templates(payments)
    assert templates.to_arrow().to_pylist() == [
        {
            "template_id": 0,
            "template": "payment <num> of <*> took <num>ms",
            "count": 3,
            "first_row": 0,
            "last_row": 6,
            "examples": ["payment 11 of ann took 35ms", "payment 13 of eve took 1,250ms"],
        },
        {
            "template_id": 1,
            "template": "pool <ip>:<num> timed out",
            "count": 2,
            "first_row": 1,
            "last_row": 5,
            "examples": ["pool 10.0.0.1:8080 timed out", "pool 10.0.0.2:8080 timed out"],
        },
        {"template_id": 2, "template": "", "count": 1, "first_row": 4, "last_row": 4, "examples": [""]},
    ]
    assert templates.ids.tolist() == [0, 1, -1, 0, 2, 1, 0]
    assert templates.ids.dtype == np.int32
    assert list(templates.to_pandas()["count"]) == [3, 2, 1]


def test_templates_show_themselves(payments):
    templates = otlp.mine_templates(payments)
    assert repr(templates) == "Templates: 3 of 6 texts, 1 without a text"
    html = templates._repr_html_()
    assert "payment &lt;num&gt; of &lt;*&gt; took &lt;num&gt;ms" in html
    assert html.index("payment") < html.index("pool"), "the most frequent comes first"
    assert repr(otlp.mine_templates(pa.array([], pa.string()))) == "Templates: 0 of 0 texts"


def test_what_was_filled_in_is_a_table_of_the_rows(payments):
    templates = otlp.mine_templates(payments)
    assert templates.parameters(0).to_pylist() == [
        {"row": 0, "num_1": "11", "any_1": "ann", "num_2": "35"},
        {"row": 3, "num_1": "12", "any_1": "bob", "num_2": "7"},
        {"row": 6, "num_1": "13", "any_1": "eve", "num_2": "1,250"},
    ]
    assert templates.parameters(1).column_names == ["row", "ip_1", "num_1"]
    assert templates.parameters(2).to_pylist() == [{"row": 4}]


def restored(template, values):
    """Put values back into a template, from left to right."""
    import re

    left = iter(values)
    return re.sub(r"<(?:\*|time|uuid|mac|ip|hex|num|id)>", lambda _: next(left), template)


@given(
    st.lists(
        st.lists(st.sampled_from(["ann", "bob", "7", "35ms", "10.0.0.1", "x=5", "at:", "é"]), max_size=5)
    )
)
def test_a_template_filled_in_again_is_the_text(lines):
    texts = [" ".join(line) for line in lines]
    templates = otlp.mine_templates(pa.array(texts, pa.string()))
    names = templates.table["template"].to_pylist()
    for number, name in enumerate(names):
        for row in templates.parameters(number).to_pylist():
            assert restored(name, list(row.values())[1:]) == texts[row["row"]]


@given(LINES, OPTIONS)
def test_every_text_matches_a_template_that_says_as_much_as_its_own(lines, options):
    templates = otlp.mine_templates(pa.array(lines, pa.string()), **options)
    names = templates.table["template"].to_pylist()
    for line, number in zip(lines, templates.ids.tolist(), strict=True):
        if line is not None:
            found = templates.match(line)
            assert names[found].split().count("<*>") <= names[number].split().count("<*>")


def test_match_prefers_the_template_that_says_most_and_learns_nothing(payments):
    templates = otlp.mine_templates(payments)
    assert templates.match("payment 99 of mallory took 12ms") == 0
    assert templates.match("pool ::1:8080 timed out") is None
    assert templates.match("payment 99 of mallory took 12ms again") is None
    assert templates.match("  ") == 2
    assert len(templates) == 3


def test_rows_of_a_template_filter_the_records(checkout):
    templates = otlp.mine_templates(checkout["body"])
    late = templates.match("payment timed out")
    assert set(checkout.filter(templates.ids == late)["body"].to_pylist()) == {"payment timed out"}


def test_templates_of_the_recorded_checkout_are_the_messages_it_is_written_with(checkout):
    templates = otlp.mine_templates(checkout["body"], similarity=0.6)
    counted = dict(zip(*(templates.table[name].to_pylist() for name in ("template", "count")), strict=True))
    bodies = collections.Counter(checkout["body"].to_pylist())
    assert sum(counted.values()) == len(checkout) == sum(bodies.values())
    assert counted["order accepted"] == bodies["order accepted"]
    assert counted["card network unavailable"] == bodies["card network unavailable"]
    waited = [body for body in bodies if body.startswith("waited ")]
    assert len(waited) > 1
    assert counted["waited <num> ms for the stock lock"] == sum(bodies[body] for body in waited)
    lock = templates.parameters(templates.match("waited 3 ms for the stock lock"))
    assert [f"waited {ms} ms for the stock lock" for ms in lock["num_1"].to_pylist()] == [
        body for body in checkout["body"].to_pylist() if body.startswith("waited ")
    ]


def test_every_type_of_text_is_mined_alike(payments):
    expected = otlp.mine_templates(payments)
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string()), pa.binary()):
        column = payments.dictionary_encode() if pa.types.is_dictionary(kind) else payments.cast(kind)
        found = otlp.mine_templates(pa.chunked_array([column.slice(0, 2), column.slice(2)]))
        assert found.ids.tolist() == expected.ids.tolist()
        assert found.table.equals(expected.table)
        assert [*map(str, found.parameters(0)["row"])] == [*map(str, expected.parameters(0)["row"])]


def test_a_word_in_brackets_put_there_before_is_a_part_too():
    import pyarrow.compute as pc

    bodies = pc.replace_substring_regex(
        pa.array(["cart of ann@x.org", "cart of bob@y.org"]), r"\S+@\S+", "<id>"
    )
    templates = otlp.mine_templates(bodies)
    assert templates.table["template"].to_pylist() == ["cart of <id>"]
    assert templates.parameters(0)["id_1"].to_pylist() == ["<id>", "<id>"]


def test_templates_survive_pickling(payments):
    templates = otlp.mine_templates(payments)
    copy = pickle.loads(pickle.dumps(templates))
    assert copy.table.equals(templates.table)
    assert copy.match("payment 1 of x took 2ms") == 0
    assert copy.parameters(0).equals(templates.parameters(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 2}, "depth must be a whole number, 3 or more, got 2"),
        ({"depth": 4.0}, "depth must be a whole number, 3 or more, got 4.0"),
        ({"max_children": 0}, "max_children must be a whole number, 1 or more, got 0"),
        ({"max_clusters": 0}, "max_clusters must be a whole number, 1 or more, got 0"),
        ({"similarity": 1.5}, "similarity must be a share, 0 to 1, got 1.5"),
        ({"similarity": float("nan")}, "similarity must be a share"),
        ({"masks": ["num", "email"]}, "masks must be a sequence of time, .*, got 'email'"),
        ({"masks": "num"}, "masks must be a sequence of time, .*, got 'num'"),
    ],
)
def test_parameters_without_a_meaning_are_refused(options, message):
    with pytest.raises(otlp.MiningError, match=message):
        otlp.mine_templates(pa.array(["a"]), **options)


def test_what_is_not_there_is_refused(payments):
    templates = otlp.mine_templates(payments)
    for number in (3, -1, True, "payment"):
        with pytest.raises(otlp.MiningError, match=r"there is no template .*, there are 3, from 0 on"):
            templates.parameters(number)
    with pytest.raises(otlp.TextColumnError):
        otlp.mine_templates(pa.array([1, 2]))
    with pytest.raises(ValueError, match="read-only"):
        templates.ids[0] = 7


def test_what_is_no_text_has_no_template():
    templates = otlp.mine_templates(["user 5 paid"])
    assert templates.match("user \ud800 paid") is None
    for wrong in (None, 5, b"user 5 paid"):
        with pytest.raises(TypeError, match="expected a text"):
            templates.match(wrong)
    with pytest.raises(otlp.MiningError, match=r"there is no template 0\.0"):
        templates.parameters(0.0)


WRONG_TYPES = [{"similarity": None}, {"similarity": "high"}, {"masks": None}, {"masks": 5}]


@pytest.mark.parametrize("wrong", WRONG_TYPES)
def test_parameters_of_another_type_are_refused_by_name(wrong):
    with pytest.raises(otlp.MiningError, match=next(iter(wrong))):
        otlp.mine_templates(["a"], **wrong)


@pytest.mark.parametrize("limit", ["max_children", "max_clusters", "depth"])
def test_a_limit_may_be_as_large_as_one_likes(limit):
    assert len(otlp.mine_templates(["a b", "c d"], **{limit: 10**30})) == 2
