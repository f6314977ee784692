"""What policies decide and learn: state machines that know no clock and no I/O.

A machine is a pair of records, its `Parameters` and its `State`, and transition functions over them::

    def take(p, s, now, cost): ...     # parameters, state, seconds; returns one number

Each transition is written once, in the part of Python that the fusing compiler (`fusing`) copies into the
functions that run live, and that Numba compiles for the simulator: numbers, comparisons and assignments, one
`return` at the end. In the simulator the records are NumPy records with the same fields. Times are in
seconds, as float64, and the arithmetic is the same in both worlds; so both decide alike, to the last bit.

Where a transition neither calls nor loops, CPython with its global lock runs it as a whole: other threads
take over at calls and at backward jumps only. The fusing compiler puts a lock around all others, and around
every one where there is no global lock.
"""
