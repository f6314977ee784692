"""Histories of a register, of the kind that was recorded of etcd."""

import random

from workbench.histories import NIL, History, Operation

OPERATIONS = 80


def register_history(seed):
    """Return a history of a register, of which answers are lost and reads perhaps stale."""
    rng = random.Random(seed)
    clients, values = (5, 8, 12)[seed % 3], (5, 20)[seed // 3 % 2]
    lost, stale = (0.1, 0.25, 0.4)[seed // 6 % 3], 0.03 if seed % 2 else 0.0
    drafts = _calls(rng, clients, values, lost)
    value, before = None, None
    for draft in sorted(drafts, key=lambda each: each["at"]):
        name, *given = draft["input"]
        if name == "read":
            read = before if rng.random() < stale else value
            draft["output"] = NIL if read is None else read
            continue
        draft["output"] = NIL if name == "write" else value == given[0]
        if draft["happens"] and draft["output"] is not False:
            before, value = value, given[-1]
    return History(_operation(draft) for draft in drafts)


def _calls(rng, clients, values, lost):
    clock = {client: rng.random() for client in range(clients)}
    names = dict(enumerate(range(clients)))
    drafts = []
    for _ in range(OPERATIONS):
        client = min(clock, key=clock.get)
        call = clock[client] + rng.expovariate(4)
        returned = call + rng.expovariate(1)
        value, other = rng.randrange(values), rng.randrange(values)
        asked = rng.choice([("read",), ("write", value), ("cas", value, other)])
        is_lost = rng.random() < lost
        draft = {"process": names[client], "call": call, "return": returned, "input": asked}
        draft["lost"] = is_lost
        draft["at"] = rng.uniform(call, returned + (20 if is_lost else 0))
        draft["happens"] = not is_lost or rng.random() < 0.5
        drafts.append(draft)
        clock[client] = returned
        if is_lost:
            names[client] += clients
    return drafts


def _operation(draft):
    if draft["lost"]:
        return Operation(draft["process"], draft["call"], None, draft["input"])
    return Operation(draft["process"], draft["call"], draft["return"], draft["input"], draft["output"])
