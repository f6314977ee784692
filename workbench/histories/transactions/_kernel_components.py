"""Strongly connected components of a directed graph in compressed sparse rows.

The edges of node v are ``targets[starts[v] : starts[v + 1]]``. Components are numbered in the order in which
Tarjan (1972) closes them, so that every edge leads to a component of the same or a smaller number: reversed,
they are a topological order. Written with its own stack, so that a path of millions of nodes needs none of
the machine's; O(nodes + edges).
"""

from typing import Any

from workbench.kernels import kernel

__all__ = ["compress", "strong_components"]


@kernel("void(int32[:,::1], int64[::1], int64[::1], int32[::1])")
def compress(ends: Any, starts: Any, edges: Any, targets: Any) -> None:
    """Fill `starts` (nodes + 1, zeros), and for each place the number of its edge and the edge's target."""
    for edge in range(len(ends)):
        starts[ends[edge, 0] + 1] += 1
    for node in range(len(starts) - 1):
        starts[node + 1] += starts[node]
    for edge in range(len(ends) - 1, -1, -1):
        source = ends[edge, 0]
        starts[source + 1] -= 1
        place = starts[source + 1]
        edges[place] = edge
        targets[place] = ends[edge, 1]
    for node in range(len(starts) - 2):
        starts[node + 1] = starts[node + 2]
    starts[len(starts) - 1] = len(ends)


@kernel(
    "int64(int64[::1], int32[::1], int32[::1], int32[::1], int32[::1], int32[::1], int64[::1], int32[::1])"
)
def strong_components(
    starts: Any, targets: Any, component: Any, index: Any, low: Any, path: Any, cursor: Any, waiting: Any
) -> Any:
    """Fill in the component of each node, all -1 at first; return how many there are.

    `index` begins with zeros; it, `low`, `path`, `cursor` and `waiting` are room for one number a node.
    """
    seen = 0
    found = 0
    waits = 0
    for root in range(len(component)):
        if index[root] != 0:
            continue
        depth = -1
        entered = root
        while entered >= 0 or depth >= 0:
            if entered >= 0:
                depth += 1
                path[depth] = entered
                cursor[entered] = starts[entered]
                seen += 1
                index[entered] = seen
                low[entered] = seen
                waiting[waits] = entered
                waits += 1
                entered = -1
            node = path[depth]
            least = low[node]
            place = cursor[node]
            while place < starts[node + 1]:
                target = targets[place]
                if index[target] == 0:
                    entered = target
                    break
                if component[target] < 0 and low[target] < least:
                    least = low[target]
                place += 1
            low[node] = least
            cursor[node] = place
            if entered >= 0:
                continue
            depth -= 1
            if least == index[node]:
                member = -1
                while member != node:
                    waits -= 1
                    member = waiting[waits]
                    component[member] = found
                found += 1
    return found
