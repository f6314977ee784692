"""Drain: a tree of fixed depth that leads a line of tokens to the few templates it may belong to.

The first layer of the tree is the number of tokens, the next ones are the first tokens. A leaf holds
templates. For a line of tokens ``t`` and a template ``s`` of the same length ``n``

    similarity(t, s) = |{k : t_k = s_k, s_k != <*>}| / n

and the line joins the template of its leaf that is most similar, of equals the one with most ``<*>``, of
equals the oldest; if that is at least the threshold. Tokens in which the two differ become ``<*>`` then.
Otherwise the line is a new template. In the tree a token with a digit, and any that finds no room among a
node's children, goes to the child ``<*>``.

Tokens are compared by a 64-bit hash of their bytes, after masking: among a million distinct tokens, two have
the same one with a probability of about 3e-8. Arrays grow between calls: `mine` stops before a line for which
there may not be enough room.

Source: He, Zhu, Zheng & Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017; what
it leaves open (ties, digits, the limit of templates) is settled as in the Drain3 project.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load8, load32s, load64, mix
from workbench.kernels.parts import inlined
from workbench.otlp.text._kernel_masks import CLASSES, DIGIT, NAME_LENGTHS, NAMES, is_space, next_part

__all__ = [
    "ALIVE",
    "ANYTHING",
    "CLUSTERS",
    "CLUSTER_FIELDS",
    "COUNT",
    "COUNTERS",
    "FIRST_ROW",
    "LAST_ROW",
    "LEAST_RECENT",
    "LENGTH",
    "MOST_RECENT",
    "NODES",
    "NODE_FIELDS",
    "NOTHING",
    "START",
    "TOKENS",
    "hash_tokens",
    "mine",
    "place_nodes",
]

NOTHING = -1
PARENT, KEY, CHILDREN, WILD_CHILD, OLDEST_LEAF, NEWEST_LEAF = range(6)  # of a node
NODE_FIELDS = 6
START, LENGTH, COUNT, FIRST_ROW, LAST_ROW, NEXT_LEAF, USED_AFTER, USED_BEFORE, ALIVE = range(
    9
)  # of a template
CLUSTER_FIELDS = 9
NODES, CLUSTERS, TOKENS, LIVING, LEAST_RECENT, MOST_RECENT = range(6)  # how many there are, and who was used
COUNTERS = 6
ROOT = 0

BASIS = -7046029254386353131  # 0x9e3779b97f4a7c15, the golden ratio
FACTOR = -6884282663029611473  # 0xa0761d6478bd642f, the first secret of wyhash
ANYTHING = 6151661954700785003  # the hash of the token <*>, as the others are hashed


@inlined
def _mixed(code: Any, word: Any) -> Any:
    return mix(code ^ FACTOR, word ^ BASIS)


@inlined
def _absorb(code: Any, word: Any, size: Any, byte: Any) -> Any:
    """Take in one byte: eight are mixed at a time."""
    word = word << 8 | byte
    if size & 7 == 7:
        return _mixed(code, word), 0, size + 1
    return code, word, size + 1


@kernel("int64(int64, int64, int64, int64[::1], boolean[::1])")
def hash_tokens(start: Any, stop: Any, active: Any, tokens: Any, numeric: Any) -> Any:
    """Hash the masked tokens of a text, tell which of them have digits, and return how many there are."""
    count, at = 0, start
    while at < stop:
        if is_space(load8(at)):
            at += 1
            continue
        code, word, size, digit = BASIS, 0, 0, 0
        while at < stop and not is_space(load8(at)):
            part, end = next_part(at, start, stop, active)
            if part < 0:
                for place in range(at, end):
                    byte = load8(place)
                    digit |= CLASSES[byte] & DIGIT
                    code, word, size = _absorb(code, word, size, byte)
            else:
                for k in range(NAME_LENGTHS[part]):
                    code, word, size = _absorb(code, word, size, NAMES[part, k])
            at = end
        tokens[count] = _mixed(_mixed(code, word), size)
        numeric[count] = digit != 0
        count += 1
    return count


@inlined
def _slot(nodes: Any, slots: Any, parent: Any, key: Any) -> Any:
    """Return the slot of a node's child, or the empty one where it would be."""
    last = len(slots) - 1
    slot = _mixed(key, parent) & last
    while slots[slot] != NOTHING:
        node = slots[slot]
        if nodes[node, PARENT] == parent and nodes[node, KEY] == key:
            break
        slot = (slot + 1) & last
    return slot


@kernel("void(int64[:,::1], int64[::1], int64)")
def place_nodes(nodes: Any, slots: Any, count: Any) -> None:
    """Fill an empty table of the nodes' children."""
    for node in range(1, count):
        slots[_slot(nodes, slots, nodes[node, PARENT], nodes[node, KEY])] = node


@inlined
def _child(nodes: Any, slots: Any, parent: Any, key: Any) -> Any:
    return slots[_slot(nodes, slots, parent, key)]


@inlined
def _new_child(nodes: Any, slots: Any, counters: Any, parent: Any, key: Any) -> Any:
    node = counters[NODES]
    counters[NODES] += 1
    for field in range(NODE_FIELDS):
        nodes[node, field] = NOTHING
    nodes[node, PARENT], nodes[node, KEY], nodes[node, CHILDREN] = parent, key, 0
    slots[_slot(nodes, slots, parent, key)] = node
    nodes[parent, CHILDREN] += 1
    if key == ANYTHING and parent != ROOT:
        nodes[parent, WILD_CHILD] = node
    return node


@kernel("int64(int64[:,::1], int64[::1], int64[::1], int64, int64)")
def _leaf(nodes: Any, slots: Any, tokens: Any, count: Any, layers: Any) -> Any:
    """Return the leaf that a line leads to, or NOTHING."""
    node = _child(nodes, slots, ROOT, count)
    for k in range(min(layers, count - 1)):
        if node == NOTHING:
            return NOTHING
        child = _child(nodes, slots, node, tokens[k])
        node = nodes[node, WILD_CHILD] if child == NOTHING else child
    return node


@kernel("int64(int64[:,::1], int64[::1], int64[::1], int64[::1], boolean[::1], int64, int64, int64)")
def _grow_leaf(
    nodes: Any,
    slots: Any,
    counters: Any,
    tokens: Any,
    numeric: Any,
    count: Any,
    layers: Any,
    max_children: Any,
) -> Any:
    """Return the leaf for a new template, making what is missing on the way."""
    node = _child(nodes, slots, ROOT, count)
    if node == NOTHING:
        node = _new_child(nodes, slots, counters, ROOT, count)
    for k in range(min(layers, count - 1)):
        child = _child(nodes, slots, node, tokens[k])
        if child == NOTHING:
            wild = nodes[node, WILD_CHILD]
            room = max_children - nodes[node, CHILDREN]
            if not numeric[k] and (room > 1 or (wild != NOTHING and room > 0)):
                child = _new_child(nodes, slots, counters, node, tokens[k])
            else:
                child = wild if wild != NOTHING else _new_child(nodes, slots, counters, node, ANYTHING)
        node = child
    return node


@kernel("int64(int64[:,::1], int64[:,::1], int64[::1], int64, int64[::1], int64, float64)")
def _most_similar(
    nodes: Any, clusters: Any, arena: Any, leaf: Any, tokens: Any, count: Any, similarity: Any
) -> Any:
    """Return the template of a leaf that a line joins, or NOTHING; those given up are taken off the leaf."""
    best, best_same, best_wild = NOTHING, -1, -1
    before, cluster = NOTHING, nodes[leaf, OLDEST_LEAF]
    while cluster != NOTHING:
        following = clusters[cluster, NEXT_LEAF]
        if not clusters[cluster, ALIVE]:
            if before == NOTHING:
                nodes[leaf, OLDEST_LEAF] = following
            else:
                clusters[before, NEXT_LEAF] = following
            if following == NOTHING:
                nodes[leaf, NEWEST_LEAF] = before
        else:
            start, same, wild = clusters[cluster, START], 0, 0
            for k in range(count):
                token = arena[start + k]
                wild += token == ANYTHING
                same += token == tokens[k] and token != ANYTHING
            if same > best_same or (same == best_same and wild > best_wild):
                best, best_same, best_wild = cluster, same, wild
            before = cluster
        cluster = following
    if count == 0:
        return best
    return best if best != NOTHING and best_same / count >= similarity else NOTHING


@inlined
def _take_off(clusters: Any, counters: Any, cluster: Any) -> None:
    """Take a template out of the order of use."""
    older, newer = clusters[cluster, USED_BEFORE], clusters[cluster, USED_AFTER]
    if older == NOTHING:
        counters[LEAST_RECENT] = newer
    else:
        clusters[older, USED_AFTER] = newer
    if newer == NOTHING:
        counters[MOST_RECENT] = older
    else:
        clusters[newer, USED_BEFORE] = older


@inlined
def _put_last(clusters: Any, counters: Any, cluster: Any) -> None:
    """Make a template the one used most recently."""
    last = counters[MOST_RECENT]
    clusters[cluster, USED_BEFORE], clusters[cluster, USED_AFTER] = last, NOTHING
    if last == NOTHING:
        counters[LEAST_RECENT] = cluster
    else:
        clusters[last, USED_AFTER] = cluster
    counters[MOST_RECENT] = cluster


@kernel("int64(int64[:,::1], int64[:,::1], int64[::1], int64[::1], int64[::1], int64, int64, int64, int64)")
def _new_cluster(
    nodes: Any,
    clusters: Any,
    arena: Any,
    counters: Any,
    tokens: Any,
    count: Any,
    leaf: Any,
    row: Any,
    max_clusters: Any,
) -> Any:
    """Make a line a template of its own; with too many of them give up the one not used for longest."""
    if counters[LIVING] == max_clusters:
        given_up = counters[LEAST_RECENT]
        _take_off(clusters, counters, given_up)
        clusters[given_up, ALIVE] = 0
        counters[LIVING] -= 1
    cluster, start = counters[CLUSTERS], counters[TOKENS]
    clusters[cluster, START], clusters[cluster, LENGTH] = start, count
    clusters[cluster, COUNT], clusters[cluster, FIRST_ROW] = 0, row
    clusters[cluster, NEXT_LEAF], clusters[cluster, ALIVE] = NOTHING, 1
    for k in range(count):
        arena[start + k] = tokens[k]
    last = nodes[leaf, NEWEST_LEAF]
    if last == NOTHING:
        nodes[leaf, OLDEST_LEAF] = cluster
    else:
        clusters[last, NEXT_LEAF] = cluster
    nodes[leaf, NEWEST_LEAF] = cluster
    counters[CLUSTERS] += 1
    counters[TOKENS] += count
    counters[LIVING] += 1
    _put_last(clusters, counters, cluster)
    return cluster


@kernel(
    "int64(int64, int64, boolean, boolean[::1], int64, int64, int64, int64, float64, int64, int64, "
    "int64[:,::1], int64[::1], int64[:,::1], int64[::1], int64[::1], int64[::1], boolean[::1], int32[::1])"
)
def mine(
    data: Any,
    offsets: Any,
    wide: Any,
    valid: Any,
    row: Any,
    before: Any,
    active: Any,
    layers: Any,
    similarity: Any,
    max_children: Any,
    max_clusters: Any,
    nodes: Any,
    slots: Any,
    clusters: Any,
    arena: Any,
    counters: Any,
    tokens: Any,
    numeric: Any,
    ids: Any,
) -> Any:
    """Give lines their templates, from a row on; return the row for which there may be no room, or the end.

    `before` is how many rows lie in the chunks before this one.
    """
    while row < len(valid):
        no_room = (
            counters[CLUSTERS] == len(clusters)
            or counters[TOKENS] + len(tokens) > len(arena)
            or counters[NODES] + layers + 1 > len(nodes)
        )
        if no_room:
            return row
        ids[row] = NOTHING
        if valid[row]:
            start = load64(offsets + 8 * row) if wide else load32s(offsets + 4 * row)
            stop = load64(offsets + 8 * row + 8) if wide else load32s(offsets + 4 * row + 4)
            count = hash_tokens(data + start, data + stop, active, tokens, numeric)
            leaf = _leaf(nodes, slots, tokens, count, layers)
            cluster = NOTHING
            if leaf != NOTHING:
                cluster = _most_similar(nodes, clusters, arena, leaf, tokens, count, similarity)
            if cluster == NOTHING:
                leaf = _grow_leaf(nodes, slots, counters, tokens, numeric, count, layers, max_children)
                cluster = _new_cluster(
                    nodes, clusters, arena, counters, tokens, count, leaf, before + row, max_clusters
                )
            else:
                first = clusters[cluster, START]
                for k in range(count):
                    if arena[first + k] != tokens[k]:
                        arena[first + k] = ANYTHING
                if counters[MOST_RECENT] != cluster:
                    _take_off(clusters, counters, cluster)
                    _put_last(clusters, counters, cluster)
            clusters[cluster, COUNT] += 1
            clusters[cluster, LAST_ROW] = before + row
            ids[row] = cluster
        row += 1
    return row
