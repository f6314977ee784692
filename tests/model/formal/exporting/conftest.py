"""Assertions of the tests' own modules say what differs."""

import pytest

pytest.register_assert_rewrite("spin_runs", "tla_reader")
