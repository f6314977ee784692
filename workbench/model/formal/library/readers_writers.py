"""Readers and writers: many read together, who writes is alone, and all are served in the order of asking.

Source: P. J. Courtois, F. Heymans, D. L. Parnas, Concurrent control with readers and writers, CACM 14 (1971),
with a queue; TLA+ Examples, ReadersWriters.
"""

import workbench.model.formal as wb

__all__ = ["ReadersWriters"]


def ReadersWriters(n: int = 2) -> type[wb.Model]:
    """Return `n` actors that read and write; each may wait once for either, even while it reads or writes.

    Its invariants: nobody reads while somebody writes (`no_reader_beside_a_writer`), and one writes at most
    (`one_writer`).
    """
    actors = range(n)
    Request = wb.Record(kind=wb.Enum("read", "write"), actor=actors)

    class ReadersWriters(wb.Model):
        """Who reads, who writes, and the queue of requests."""

        readers = wb.Set(actors)
        writers = wb.Set(actors)
        waiting = wb.Seq(Request, 2 * n)

        @wb.action(a=actors, fair="weak")
        def ask_to_read(s, a):
            wb.require(not any(request.kind == "read" and request.actor == a for request in s.waiting))
            s.waiting.append(Request(kind="read", actor=a))

        @wb.action(a=actors, fair="weak")
        def ask_to_write(s, a):
            wb.require(not any(request.kind == "write" and request.actor == a for request in s.waiting))
            s.waiting.append(Request(kind="write", actor=a))

        @wb.action(fair="weak")
        def serve_next(s):
            wb.require(len(s.waiting) > 0)
            wb.require(len(s.writers) == 0)
            request = s.waiting[0]
            if request.kind == "read":
                s.readers.add(request.actor)
            else:
                wb.require(len(s.readers) == 0)
                s.writers.add(request.actor)
            s.waiting.pop(0)

        @wb.action(a=actors, fair="weak")
        def stop(s, a):
            wb.require(a in s.readers or a in s.writers)
            if a in s.readers:
                s.readers.discard(a)
            else:
                s.writers.discard(a)

        @wb.invariant
        def no_reader_beside_a_writer(s):
            return len(s.readers) == 0 or len(s.writers) == 0

        @wb.invariant
        def one_writer(s):
            return len(s.writers) <= 1

        @wb.predicate
        def first_reads(s):
            return 0 in s.readers

        @wb.predicate
        def first_writes(s):
            return 0 in s.writers

    return ReadersWriters
