"""A small system in which everything is known."""

import pytest
from systems import CLIENT, System


@pytest.fixture
def system():
    return System()


@pytest.fixture
def shop(system, tmp_path):
    """Trace n: shop (1) calls stock (2 -> 3), then pay (4 -> 5); trace 4 fails in pay, 5 is slow there."""
    for n in range(1, 6):
        at, slow = n * 1000, 400 if n == 5 else 0
        failed = n == 4
        system.span("shop", n, 1, at_ms=at, ms=100 + slow, name="POST /checkout", http__route="/checkout")
        system.span("shop", n, 2, parent=1, at_ms=at + 10, ms=20, kind=CLIENT)
        system.span("stock", n, 3, parent=2, at_ms=at + 12, ms=16, http__route="/reserve", n=n)
        system.span("shop", n, 4, parent=1, at_ms=at + 40, ms=50 + slow, kind=CLIENT, error=failed)
        system.span("pay", n, 5, parent=4, at_ms=at + 42, ms=46 + slow, error=failed, amount=n / 2)
    return system.traces(tmp_path)
