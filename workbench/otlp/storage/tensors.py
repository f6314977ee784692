"""`Tensors`: columns of telemetry as torch tensors, with what their numbers stand for."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from workbench.display import plural

if TYPE_CHECKING:
    import torch

__all__ = ["Tensors"]


class Tensors(Mapping[str, "torch.Tensor"]):
    """Tensors by column, aligned with the records.

    Attributes
    ----------
    vocabularies : dict of str to list of str
        What the numbers of a column of texts stand for.
    present : dict of str to (n,) bool tensor
        Where a column with nulls has a value. Elsewhere it holds -1 (texts), NaN (doubles), 0 or False.
    """

    def __init__(
        self,
        tensors: dict[str, "torch.Tensor"],
        vocabularies: dict[str, list[str]],
        present: dict[str, "torch.Tensor"],
    ) -> None:
        self._tensors, self.vocabularies, self.present = tensors, vocabularies, present

    def __getitem__(self, name: str) -> "torch.Tensor":
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        rows = next((len(tensor) for tensor in self.values()), 0)
        held = f"{plural(len(self), 'column')} of {plural(rows, 'record')}"
        return f"Tensors: {held}, {len(self.vocabularies)} of them texts"
