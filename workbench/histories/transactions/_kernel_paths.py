"""The shortest way back from the end of an edge to its beginning: a cycle through that edge.

A state of the search is a node and whether the last dependency was an anti-dependency (rw). Edges of kind
`FREE` cost nothing and leave that as it is. Where anti-dependencies must not be adjacent, none follows
another, also across the ends of the cycle: what Cerone and Gotsman (2018) show snapshot isolation to exclude.
"""

from typing import Any

from workbench.histories.transactions import _codes as codes
from workbench.kernels import kernel

__all__ = ["ways_back"]

FREE, RW = codes.FREE, codes.RW


@kernel(
    "Tuple((int64, int64, int64))(int64[::1], int64[::1], int32[::1], int32[:,::1], int8[::1], int64[::1],"
    " int64, int64, boolean, int64, int32[::1], int64[::1], int32[::1], int64[::1], int64[::1], int64[::1])"
)
def ways_back(
    starts: Any,
    edges: Any,
    targets: Any,
    ends: Any,
    kinds: Any,
    through: Any,
    allowed: int,
    longest: int,
    apart: bool,  # noqa: FBT001 - Numba passes it by place
    budget: int,
    distance: Any,
    came_by: Any,
    queue: Any,
    touched: Any,
    bounds: Any,
    cycles: Any,
) -> Any:
    """Find a shortest cycle through each edge of `through`, of kinds in `allowed` but for the first.

    Parameters
    ----------
    starts, edges, targets
        The graph in compressed rows; `edges` gives the number of the edge at a place.
    longest, apart, budget
        Cycles of more dependencies are not looked for; whether anti-dependencies stand apart; how many edges
        may be looked at in all.
    distance (2 nodes, filled with -1), came_by, queue (8 nodes), touched (2 nodes)
        Room for the search.
    bounds, cycles
        Filled: the edges of the i-th cycle, the first being that of `through`, or nothing.

    Returns
    -------
    tuple of int
        How many of `through` were done, how many numbers `cycles` has, how many edges were looked at.
    """
    filled = 0
    looked = 0
    done = 0
    for number in range(len(through)):
        if looked > budget:
            break
        first = through[number]
        origin = ends[first, 0]
        start = 2 * ends[first, 1] + (1 if kinds[first] == RW else 0)
        bounds[number] = filled
        goal = -1
        marks = 1
        touched[0] = start
        distance[start] = 1
        came_by[start] = -1
        # The queue is two in one: this distance's states come from the left half, the next one's go right.
        half = len(queue) // 2
        queue[0] = start
        here, size, later = 0, 1, 0
        steps = 1
        while goal < 0 and size > 0 and steps <= longest:
            here = 0
            while here < size:
                state = queue[here]
                here += 1
                if distance[state] != steps:
                    continue
                node, last = state // 2, state % 2
                if node == origin and not (apart and last == 1 and kinds[first] == RW):
                    goal = state
                    break
                for place in range(starts[node], starts[node + 1]):
                    looked += 1
                    edge = edges[place]
                    kind = kinds[edge]
                    if kind == FREE:
                        following, cost = 2 * targets[place] + last, 0
                    elif kind & allowed == 0 or (apart and last == 1 and kind == RW):
                        continue
                    else:
                        following, cost = 2 * targets[place] + (1 if kind == RW else 0), 1
                    known = distance[following]
                    if known >= 0 and known <= steps + cost:
                        continue
                    if known < 0:
                        touched[marks] = following
                        marks += 1
                    distance[following] = steps + cost
                    came_by[following] = 2 * edge + last
                    if cost == 0:
                        queue[size] = following
                        size += 1
                    else:
                        queue[half + later] = following
                        later += 1
            if goal < 0:
                for place in range(later):
                    queue[place] = queue[half + place]
                size, later = later, 0
                steps += 1
        if goal >= 0:
            state = goal
            length = 1
            while state != start:
                length += 1
                state = 2 * ends[came_by[state] // 2, 0] + came_by[state] % 2
            if filled + length > len(cycles):
                for place in range(marks):
                    distance[touched[place]] = -1
                break
            state = goal
            place = filled + length - 1
            while state != start:
                cycles[place] = came_by[state] // 2
                state = 2 * ends[came_by[state] // 2, 0] + came_by[state] % 2
                place -= 1
            cycles[filled] = first
            filled += length
        for place in range(marks):
            distance[touched[place]] = -1
        done += 1
        bounds[number + 1] = filled
    return done, filled, looked
