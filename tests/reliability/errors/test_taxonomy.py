"""The eight classes, and which of them are worth another try."""

import copy
import pickle

from workbench.reliability import ErrorClass


def test_the_classes_are_those_that_the_taxonomy_names():
    assert [each.value for each in ErrorClass] == [
        "transient",
        "permanent",
        "throttled",
        "timeout",
        "cancelled",
        "overload",
        "open",
        "budget exhausted",
    ]


def test_what_passes_is_retried_and_what_is_decided_is_not():
    retried = {each for each in ErrorClass if each.retryable}
    assert retried == {ErrorClass.TRANSIENT, ErrorClass.THROTTLED, ErrorClass.TIMEOUT, ErrorClass.OVERLOAD}


def test_each_class_explains_itself_in_one_sentence():
    for each in ErrorClass:
        assert each.meaning.endswith(".")
        assert each.meaning.count(".") == 1


def test_a_class_is_found_by_its_value_and_survives_pickle_as_itself():
    for each in ErrorClass:
        assert ErrorClass(each.value) is each
        assert pickle.loads(pickle.dumps(each)) is each
        assert copy.deepcopy(each) is each
