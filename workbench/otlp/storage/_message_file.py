"""A file of OTLP messages: which signal it holds, and its records a batch at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.otlp._schema import Signal
from workbench.otlp._tally import Tally
from workbench.otlp.codec._star import Star
from workbench.otlp.errors import AmbiguousSignalError, EmptyInputError, MalformedError
from workbench.otlp.storage._decoding import PieceDecoder
from workbench.otlp.storage._documents import Choice, first_signal, of_signal, read_documents
from workbench.otlp.storage._job import Job
from workbench.otlp.storage._names import FileName
from workbench.otlp.storage._pieces import Piece, cut_fields, is_framed, read_frames
from workbench.otlp.storage._streams import ByteStream, open_stream
from workbench.otlp.storage._window import Window

__all__ = ["MessageFile"]

SECTOR = 512  # so many zero bytes are no recording of empty messages, but disk space that was never written


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A file of protobuf or JSON messages."""

    path: Path
    name: FileName

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self.path.stat().st_size

    def find_signal(self) -> Signal:
        """Return what the file holds: by its name, else by the first document of its JSON.

        Raises
        ------
        AmbiguousSignalError
            When neither says it.
        EmptyInputError
            When there is nothing that could.
        """
        found = self.name.signal or self._signal_of_documents()
        if found is None and not self.size:
            raise self._nothing()
        if found is None:
            msg = f"nothing says what {self.path.name} holds: traces, metrics, logs or profiles; pass signal="
            raise AmbiguousSignalError(msg)
        return found

    def _signal_of_documents(self) -> Signal | None:
        if self.name.format != "json":
            return None
        damage = Tally("skip")
        with self._opened(damage) as window:
            found = first_signal(read_documents(window, Tally("skip")))
        if found is None and damage.skipped:
            raise damage.skipped.errors[0]
        return found

    def stars(self, job: Job) -> Iterator[Star]:
        """Yield the records in batches of so many bytes."""
        with self._opened(job.tally) as window:
            pieces = self._pieces(window, job)
            decoder = PieceDecoder(job, is_json=self.name.format == "json")
            for star in decoder.batches(pieces):
                job.on_bytes(window.stream.raw_position)
                yield star

    @contextmanager
    def _opened(self, tally: Tally) -> Iterator[Window]:
        with open_stream(self.path, self.name, tally.refuse) as stream:
            window = Window(stream)
            if not window.have(1):
                raise self._nothing()
            if window.have(SECTOR) and not window.block.strip(b"\0") and self._is_all_zero():
                msg = f"{self.path.name} holds only zero bytes: its space was reserved, and never written"
                raise MalformedError(msg)
            yield window

    def _probe(self) -> ByteStream:
        """Open the file once more, only to look at it: what is damaged is refused elsewhere."""
        return open_stream(self.path, self.name, Tally("skip").refuse)

    def _is_all_zero(self) -> bool:
        with self._probe() as stream:
            while block := stream.read(1 << 20):
                if block.strip(b"\0"):
                    return False
        return True

    def _nothing(self) -> EmptyInputError:
        return EmptyInputError(
            f"{self.path.name} holds nothing, where one OTLP message at least was expected"
        )

    def _pieces(self, window: Window, job: Job) -> Iterator[Piece]:
        signal, tally = job.signal, job.tally
        if self.name.format == "json":
            choice = Choice.ASKED if job.is_asked else Choice.NAMED if self.name.signal else Choice.FOUND
            return of_signal(self._documents(window, tally), signal, choice, tally)
        with self._probe() as stream:
            framed = is_framed(window, Window(stream))
        return read_frames(window, tally) if framed else cut_fields(window, signal, tally)

    def _documents(self, window: Window, tally: Tally) -> Iterator[Piece]:
        """Yield the documents; there is one at least."""
        before, count = tally.skipped, 0
        for piece in read_documents(window, tally):
            count += 1
            yield piece
        if not count and tally.skipped == before:
            raise self._nothing()
