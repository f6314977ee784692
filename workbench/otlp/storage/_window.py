"""A window on a stream: the bytes that are looked at, and where in the whole input they lie."""

from workbench.otlp.storage._streams import ByteStream

__all__ = ["BLOCK", "Window"]

BLOCK = 1 << 22  # bytes read at once


class Window:
    """Bytes `at:` of `block` are yet to be taken; `offset` is where they lie in the input.

    What was taken stays as it is: a block is never written again.
    """

    def __init__(self, stream: ByteStream, block_bytes: int = BLOCK) -> None:
        self.stream = stream
        self.block = b""
        self.at = 0
        self._base = 0
        self._block_bytes = block_bytes

    @property
    def offset(self) -> int:
        """Position of the next byte in the input."""
        return self._base + self.at

    @property
    def ready(self) -> int:
        """How many bytes can be taken without reading."""
        return len(self.block) - self.at

    def have(self, size: int) -> bool:
        """Read until so many bytes can be taken; tell whether there are so many."""
        missing = size - self.ready
        if missing <= 0:
            return True
        if self.stream.left is not None and missing > self.stream.left:
            return False  # whatever a damaged length announces, it is not looked for in memory
        more = self.stream.read(max(missing, self._block_bytes))
        self._base += self.at
        self.block, self.at = self.block[self.at :] + more, 0
        return self.ready >= size

    def grow(self) -> bool:
        """Read on, as far again as what is ready; tell whether there was more."""
        before, left = self.ready, self.stream.left
        more = max(before, self._block_bytes)
        self.have(before + (more if left is None else min(more, left)))
        return self.ready > before

    def take(self, size: int) -> memoryview:
        """Return the next bytes, which are there."""
        taken = memoryview(self.block)[self.at : self.at + size]
        self.at += size
        return taken
