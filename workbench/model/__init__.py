"""Models: systems written down, and checked."""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.model import formal

__all__ = ["formal"]

__getattr__, __dir__ = lazy_names(__name__, {"formal": "formal"})
