"""A lock with a lease: it expires while its holder sleeps, and the holder does not know.

A client that was away (a pause of the collector, a slow network) goes on believing that it holds the lock,
and writes to the storage after the next holder has. `LeaseLock` has that failure. `FencedLock` gives a number
with each grant, higher each time; the storage refuses numbers lower than one it has seen.

Source: M. Kleppmann, How to do distributed locking (2016); C. Gray, D. Cheriton, Leases, SOSP 1989.
"""

from typing import Any

import workbench.model.formal as wb

__all__ = ["FencedLock", "LeaseLock"]


def LeaseLock(clients: int = 2, grants: int = 3) -> type[wb.Model]:
    """Return clients that write under a lease, for so many grants of the lock.

    Its invariant does not hold: that no write of an earlier holder comes after one of a later
    (`no_write_is_overwritten`).
    """
    everybody = range(clients)

    class LeaseLock(wb.Model):
        """The lock's holder, the grant that each client believes in (0: none), and what was written."""

        holder = wb.Maybe(everybody)
        granted = wb.Int(0, grants)
        grant_of = wb.Array(clients, wb.Int(0, grants))
        last_write = wb.Int(0, grants)
        newest_write = wb.Int(0, grants)

        @wb.action(c=everybody)
        def acquire(s, c):
            wb.require(s.holder is None)
            wb.require(s.granted < grants)
            s.granted += 1
            s.holder = c
            s.grant_of[c] = s.granted

        @wb.action
        def expire(s):
            wb.require(s.holder is not None)
            s.holder = None

        @wb.action(c=everybody)
        def release(s, c):
            wb.require(s.grant_of[c] > 0)
            if s.holder == c and s.grant_of[c] == s.granted:
                s.holder = None
            s.grant_of[c] = 0

        @wb.action(c=everybody)
        def write(s, c):
            wb.require(s.grant_of[c] > 0)
            s.last_write = s.grant_of[c]
            s.newest_write = max(s.newest_write, s.last_write)

        @wb.terminal
        def grants_are_used_up(s):
            return s.granted == grants

        @wb.invariant
        def no_write_is_overwritten(s):
            return s.last_write == s.newest_write

    return LeaseLock


def FencedLock(clients: int = 2, grants: int = 3) -> type[wb.Model]:
    """Return the same clients before a storage that refuses old numbers: the invariant holds."""
    Lease: Any = LeaseLock(clients, grants)

    class FencedLock(Lease):  # type: ignore[misc] # the class is made by a function
        """The lock of `LeaseLock`; only the storage differs."""

        @wb.action(c=range(clients))
        def write(s, c):
            wb.require(s.grant_of[c] > 0)
            wb.require(s.grant_of[c] >= s.newest_write)  # type: ignore[has-type]
            s.last_write = s.grant_of[c]
            s.newest_write = s.grant_of[c]

    return FencedLock
