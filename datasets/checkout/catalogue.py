"""What the shop sells and what its customers have in their carts; the same for the services and the load."""

from __future__ import annotations

import random

CARTS = 400
PRODUCTS = {  # sku: (price in EUR, units in stock at the start, weight of being chosen)
    "lamp": (39.90, 100_000, 40),  # the popular one
    "chair": (129.00, 100_000, 20),
    "desk": (249.00, 100_000, 12),
    "shelf": (89.50, 100_000, 12),
    "rug": (159.00, 100_000, 12),
    "antique-clock": (890.00, 1, 4),  # one at a time: most who want it come too late
}


def carts(seed: int) -> list[tuple[str, str, int]]:
    """Return the rows (cart, sku, quantity) of all carts."""
    rng = random.Random(f"{seed}-carts")
    return [(cart_id(number), *item) for number in range(CARTS) for item in _items(rng)]


def cart_id(number: int) -> str:
    """Return the name of the cart with this number."""
    return f"cart-{number:03d}"


def _items(rng: random.Random) -> list[tuple[str, int]]:
    weights = [weight for _, _, weight in PRODUCTS.values()]
    chosen = set(rng.choices(list(PRODUCTS), weights, k=rng.choice((1, 1, 1, 2, 2, 3))))
    return [(sku, 1 if sku == "antique-clock" else rng.randint(1, 3)) for sku in sorted(chosen)]
