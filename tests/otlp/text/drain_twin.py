"""Drain once more, over lists of words: as in the paper, what that leaves open as in Drain3."""

from collections import OrderedDict

from otlp.text.masks_twin import KINDS, mask

ANYTHING = "<*>"


class Drain:
    def __init__(self, depth=4, similarity=0.4, max_children=100, max_clusters=None, masks=KINDS):
        self.layers, self.similarity, self.max_children = depth - 3, similarity, max_children
        self.max_clusters, self.masks = max_clusters, masks
        self.tree, self.leaves = {}, {}  # path -> children; path -> ids
        self.templates, self.counts = [], []
        self.living = OrderedDict()

    def add(self, line):
        """Return the number of the line's template."""
        tokens = [token.decode() for token in mask(line.encode(), self.masks)[0].split()]
        found = self._search(tokens)
        if found is None:
            found = self._new(tokens)
        else:
            template = self.templates[found]
            self.templates[found] = [a if a == b else ANYTHING for a, b in zip(template, tokens, strict=True)]
            self.living.move_to_end(found)
        self.counts[found] += 1
        return found

    def _search(self, tokens):
        path = (len(tokens),)
        if path not in self.tree:
            return None
        for token in tokens[: max(0, min(self.layers, len(tokens) - 1))]:
            child = token if token in self.tree[path] else ANYTHING
            if child not in self.tree[path]:
                return None
            path = (*path, child)
        best, best_key = None, (-1, -1)
        for number in self.leaves.get(path, []):
            if number in self.living:
                template = self.templates[number]
                wild = template.count(ANYTHING)
                same = sum(a == b != ANYTHING for a, b in zip(template, tokens, strict=True))
                if (same, wild) > best_key:
                    best, best_key = number, (same, wild)
        if best is None or (tokens and best_key[0] / len(tokens) < self.similarity):
            return None
        return best

    def _new(self, tokens):
        if self.max_clusters and len(self.living) == self.max_clusters:
            self.living.popitem(last=False)
        number = len(self.templates)
        self.templates.append(tokens)
        self.counts.append(0)
        self.living[number] = True
        path = (len(tokens),)
        self.tree.setdefault(path, set())
        for token in tokens[: max(0, min(self.layers, len(tokens) - 1))]:
            path = (*path, self._child(self.tree[path], token))
            self.tree.setdefault(path, set())
        self.leaves.setdefault(path, []).append(number)
        return number

    def _child(self, children, token):
        if token in children:
            return token
        numeric = any(character in "0123456789" for character in token)
        room = self.max_children - len(children)
        if numeric or room < 1 or (room == 1 and ANYTHING not in children):
            token = ANYTHING
        children.add(token)
        return token
