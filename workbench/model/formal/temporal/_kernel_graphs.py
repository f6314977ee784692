"""Graphs in compressed sparse rows: products with an automaton, connected components, shortest paths.

`starts[n]` to `starts[n + 1]` are the edges of node n, `targets` where they lead. Nodes that are not `alive`
are left out.
"""

from typing import Any

import numpy as np

from workbench.kernels import kernel

__all__ = ["components", "count_product", "distances", "enabled_in", "fill_product", "summarise"]


@kernel("void(int64[::1], int32[::1], int32[::1], boolean[:,::1])")
def enabled_in(starts: Any, labels: Any, places: Any, enabled: Any) -> None:
    """Mark which action instances are enabled in each state; `places` says in which column, or -1."""
    for state in range(len(starts) - 1):
        for edge in range(starts[state], starts[state + 1]):
            label = labels[edge]
            if label >= 0 and places[label] >= 0:
                enabled[state, places[label]] = True


@kernel(
    "int64(int64[::1], int32[::1], boolean[:,::1], int32[::1], int32[::1], int64[::1], int64, "
    "int64[:,::1], int32[::1], int32[::1], int64[::1])"
)
def count_product(
    starts: Any,
    targets: Any,
    fits: Any,
    follow_starts: Any,
    follows: Any,
    initial: Any,
    first: Any,
    numbers: Any,
    states: Any,
    places: Any,
    edges: Any,
) -> int:
    """Give numbers to the nodes of the product that can be reached, breadth first; return how many.

    `numbers[state, place]` is a node's number, `initial` are the automaton's first places, `first` the number
    of initial states, `edges[node + 1]` becomes how many edges a node has.
    """
    count = 0
    for state in range(first):
        for place in initial:
            if fits[state, place] and numbers[state, place] < 0:
                numbers[state, place] = count
                states[count], places[count] = state, place
                count += 1
    node = 0
    while node < count:
        state, place = states[node], places[node]
        for edge in range(starts[state], starts[state + 1]):
            target = targets[edge]
            if target < 0:
                continue
            for each in range(follow_starts[place], follow_starts[place + 1]):
                other = follows[each]
                if fits[target, other]:
                    edges[node + 1] += 1
                    if numbers[target, other] < 0:
                        numbers[target, other] = count
                        states[count], places[count] = target, other
                        count += 1
        node += 1
    return count


@kernel(
    "void(int64[::1], int32[::1], int32[::1], boolean[:,::1], int32[::1], int32[::1], int64[:,::1], "
    "int32[::1], int32[::1], int64, int32[::1], int32[::1])"
)
def fill_product(
    starts: Any,
    targets: Any,
    labels: Any,
    fits: Any,
    follow_starts: Any,
    follows: Any,
    numbers: Any,
    states: Any,
    places: Any,
    count: Any,
    product_targets: Any,
    product_labels: Any,
) -> None:
    """Write the edges of the product, in the order in which they were counted."""
    filled = 0
    for node in range(count):
        state, place = states[node], places[node]
        for edge in range(starts[state], starts[state + 1]):
            target = targets[edge]
            if target < 0:
                continue
            for each in range(follow_starts[place], follow_starts[place + 1]):
                if fits[target, follows[each]]:
                    product_targets[filled] = numbers[target, follows[each]]
                    product_labels[filled] = labels[edge]
                    filled += 1


@kernel("int64(int64[::1], int32[::1], boolean[::1], int32[::1])")
def components(starts: Any, targets: Any, alive: Any, found: Any) -> int:
    """Write the number of each node's strongly connected component (Tarjan 1972); return how many there are.

    `found` is -1 for nodes that are left out.
    """
    nodes = len(starts) - 1
    index = np.full(nodes, -1, np.int32)
    low = np.zeros(nodes, np.int32)
    edge_of = np.zeros(nodes, np.int64)
    stack = np.empty(nodes, np.int32)
    path = np.empty(nodes, np.int32)
    on_stack = np.zeros(nodes, np.bool_)
    found[:] = -1
    clock, held, count = 0, 0, 0
    for root in range(nodes):
        if not alive[root] or index[root] >= 0:
            continue
        depth = 0
        path[0] = root
        index[root] = low[root] = clock
        clock += 1
        stack[held] = root
        held += 1
        on_stack[root] = True
        edge_of[root] = starts[root]
        while depth >= 0:
            node = path[depth]
            if edge_of[node] < starts[node + 1]:
                target = targets[edge_of[node]]
                edge_of[node] += 1
                if target < 0 or not alive[target]:
                    continue
                if index[target] < 0:
                    index[target] = low[target] = clock
                    clock += 1
                    stack[held] = target
                    held += 1
                    on_stack[target] = True
                    edge_of[target] = starts[target]
                    depth += 1
                    path[depth] = target
                elif on_stack[target]:
                    low[node] = min(low[node], index[target])
                continue
            depth -= 1
            if depth >= 0:
                low[path[depth]] = min(low[path[depth]], low[node])
            if low[node] == index[node]:
                while True:
                    held -= 1
                    member = stack[held]
                    on_stack[member] = False
                    found[member] = count
                    if member == node:
                        break
                count += 1
    return count


@kernel(
    "void(int64[::1], int32[::1], int32[::1], int32[::1], int32[::1], int32[::1], int32[::1], "
    "boolean[:,::1], boolean[:,::1], boolean[::1], boolean[:,::1], boolean[:,::1], boolean[:,::1], "
    "boolean[:,::1])"
)
def summarise(
    starts: Any,
    targets: Any,
    labels: Any,
    members: Any,
    states: Any,
    places: Any,
    columns: Any,
    enabled: Any,
    accepting: Any,
    cyclic: Any,
    accepted: Any,
    taken: Any,
    ever: Any,
    ever_not: Any,
) -> None:
    """Say of each component whether it has a cycle, and what happens in it.

    For each component: which accepting sets it meets, and for each action instance (`columns` says which
    column, or -1) whether it is taken within, is enabled somewhere, and is not enabled somewhere.
    """
    for node in range(len(starts) - 1):
        component = members[node]
        if component < 0:
            continue
        for each in range(accepting.shape[0]):
            if accepting[each, places[node]]:
                accepted[component, each] = True
        for column in range(enabled.shape[1]):
            if enabled[states[node], column]:
                ever[component, column] = True
            else:
                ever_not[component, column] = True
        for edge in range(starts[node], starts[node + 1]):
            target = targets[edge]
            if target >= 0 and members[target] == component:
                cyclic[component] = True
                label = labels[edge]
                if label >= 0 and columns[label] >= 0:
                    taken[component, columns[label]] = True


@kernel("int64(int64[::1], int32[::1], boolean[::1], boolean[::1], boolean[::1], int64[::1])")
def distances(starts: Any, targets: Any, alive: Any, sources: Any, goals: Any, came_by: Any) -> int:
    """Search breadth first from sources to the nearest goal; return it, or -1.

    `came_by` becomes the edge by which each node was reached: -1 for sources, -2 for nodes not reached.
    """
    nodes = len(starts) - 1
    queue = np.empty(nodes, np.int32)
    came_by[:] = -2
    count = 0
    for node in range(nodes):
        if sources[node] and alive[node]:
            came_by[node] = -1
            queue[count] = node
            count += 1
    position = 0
    while position < count:
        node = queue[position]
        position += 1
        if goals[node]:
            return int(node)
        for edge in range(starts[node], starts[node + 1]):
            target = targets[edge]
            if target >= 0 and alive[target] and came_by[target] == -2:
                came_by[target] = edge
                queue[count] = target
                count += 1
    return -1
