"""Profiles: attributes by name, wherever the dictionary holds them."""

import pytest
from opentelemetry.proto.profiles.v1development.profiles_pb2 import ProfilesData

from workbench import otlp


class Builder:
    """A message of profiles whose dictionary grows as it is used."""

    def __init__(self):
        self.message = ProfilesData()
        self.dictionary = self.message.dictionary
        self.dictionary.string_table.append("")
        self.dictionary.attribute_table.add()
        self.resource = self.message.resource_profiles.add()
        self.scope = self.resource.scope_profiles.add()

    def string(self, text):
        self.dictionary.string_table.append(text)
        return len(self.dictionary.string_table) - 1

    def attribute(self, key, **value):
        entry = self.dictionary.attribute_table.add(key_strindex=self.string(key))
        for name, given in value.items():
            setattr(entry.value, name, given)
        return len(self.dictionary.attribute_table) - 1

    def profile(self, *attributes):
        return self.scope.profiles.add(attribute_indices=attributes)

    def read(self):
        return otlp.Profiles.from_otlp(self.message.SerializeToString())


@pytest.fixture
def builder():
    return Builder()


def test_an_attribute_is_found_through_the_dictionary(builder):
    host, cpu = builder.attribute("host", string_value="a"), builder.attribute("cpu", int_value=3)
    builder.profile(host, cpu)
    builder.profile(cpu)
    builder.profile()
    found = builder.read()
    assert found["host"].to_pylist() == ["a", None, None]
    assert found["cpu"].to_pylist() == [3, 3, None]
    assert {"host", "cpu"} <= set(found.keys())
    assert found.to_pandas()["cpu"].tolist()[:2] == [3, 3]
    with pytest.raises(otlp.UnknownKeyError, match="near names: host"):
        found["hots"]


def test_keys_and_texts_may_be_references_at_every_level(builder):
    builder.profile(builder.attribute("own", string_value_strindex=builder.string("text")))
    resource = builder.resource.resource.attributes
    resource.add(key_strindex=builder.string("service.name")).value.string_value_strindex = builder.string(
        "shop"
    )
    resource.add(key="plain").value.int_value = 1
    builder.scope.scope.attributes.add(key_strindex=builder.string("in.scope")).value.bool_value = True
    found = builder.read()
    names = ("own", "service.name", "plain", "in.scope")
    assert [found[name].to_pylist() for name in names] == [["text"], ["shop"], [1], [True]]


def test_the_nearest_level_counts_whether_it_refers_or_not(builder):
    builder.profile(builder.attribute("where", string_value="profile"))
    builder.profile(builder.attribute("where", string_value_strindex=builder.string("string table")))
    builder.profile()
    builder.resource.resource.attributes.add(key="where").value.string_value = "resource"
    assert builder.read()["where"].to_pylist() == ["profile", "string table", "resource"]


def test_of_equal_keys_the_first_counts(builder):
    builder.profile(builder.attribute("k", int_value=1), builder.attribute("k", int_value=2))
    assert builder.read()["k"].to_pylist() == [1]


def test_nested_values_are_written_out(builder):
    number = builder.attribute("list")
    values = builder.dictionary.attribute_table[number].value.array_value.values
    values.add(string_value_strindex=builder.string("deep"))
    pair = values.add().kvlist_value.values.add(key_strindex=builder.string("key"))
    pair.value.int_value = 1
    builder.profile(number)
    assert builder.read()["list"].to_pylist() == ['["deep", {"key": 1}]']


def test_references_that_lead_nowhere_are_no_attributes(builder):
    sound = builder.attribute("k", string_value_strindex=99)
    builder.profile(0, -1, 77, sound)
    builder.dictionary.attribute_table.add(key_strindex=50).value.int_value = 1
    builder.profile(len(builder.dictionary.attribute_table) - 1)
    found = builder.read()
    assert found["k"].to_pylist() == [None, None]
    assert [key for key in found.keys() if key not in otlp.Profiles.from_otlp(b"").keys()] == ["k"]  # noqa: SIM118


def test_references_without_any_dictionary_are_no_attributes():
    message = ProfilesData()
    resource = message.resource_profiles.add()
    resource.resource.attributes.add(key="k").value.string_value_strindex = 3
    resource.scope_profiles.add().profiles.add(attribute_indices=[1])
    assert otlp.Profiles.from_otlp(message.SerializeToString())["k"].to_pylist() == [None]


def test_joined_and_chosen_profiles_keep_theirs(builder):
    builder.profile(builder.attribute("host", string_value="a"))
    other = Builder()
    other.string("padding")
    other.profile(other.attribute("host", string_value_strindex=other.string("b")))
    both = otlp.concat([builder.read(), other.read()])
    assert both["host"].to_pylist() == ["a", "b"]
    assert both.filter([False, True])["host"].to_pylist() == ["b"]


def test_the_dictionarys_attributes_are_a_table_of_texts(builder):
    builder.attribute("a", string_value="plain")
    builder.attribute("b", string_value_strindex=builder.string("referred"))
    assert builder.read().attributes().to_pydict() == {
        "key": ["", "a", "b"],
        "value": [None, "plain", "referred"],
        "unit": ["", "", ""],
    }


def test_a_reference_that_leads_nowhere_leads_nowhere_after_joining(builder):
    """It must not come to mean a row of the next message, nor grow beyond what a reference can be."""
    most = (1 << 31) - 1
    nested = builder.attribute("list")
    values = builder.dictionary.attribute_table[nested].value.array_value.values
    values.add(string_value_strindex=most)
    builder.profile(nested, 5, most, -3).samples.add(stack_index=1, attribute_indices=[most])
    other = Builder()
    other.profile(*(other.attribute(f"other {number}", int_value=number) for number in range(9)))
    joined = otlp.concat([builder.read(), other.read(), builder.read()])
    assert [name for name in joined.keys() if name.startswith("other")] == [  # noqa: SIM118 - not a dict
        f"other {number}" for number in range(9)
    ]
    assert joined["other 3"].to_pylist() == [None, 3, None]
    assert joined["list"].to_pylist() == ['[""]', None, '[""]']
    assert joined.samples()["stack"].to_pylist() == [None, None]
