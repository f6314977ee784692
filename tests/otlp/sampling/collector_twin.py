"""The Collector's tail sampling processor, as plainly as possible: a Python object a span, a loop a policy.

Written from ``processor.go``, ``id_batcher.go`` and ``internal/sampling`` of OpenTelemetry Collector Contrib
(2026); spans arrive singly, and traces of one batch are decided in order of arrival.
"""

import re
from collections import OrderedDict

SECOND = 1_000_000_000
CODES = {0: "UNSET", 1: "OK", 2: "ERROR"}
RESOURCE = {"front": {"b": False}, "stock": {"b": False}, "pay": {"b": True}}


def fnv1a(data):
    code = 0xCBF29CE484222325
    for byte in data:
        code = ((code ^ byte) * 0x100000001B3) % 2**64
    return code


class Bucket:
    def __init__(self, rate, burst):
        self.rate, self.burst, self.tokens, self.last = rate, burst, burst, 0

    def allow(self, now, wanted):
        self.tokens = min(self.burst, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if wanted > self.tokens:
            return False
        self.tokens -= wanted
        return True


class Twin:
    """One run of a sampler over spans, each a dictionary with its ``arrival`` (ns) and ``size``."""

    def __init__(self, sampler):
        self.sampler = sampler
        self.state = {}
        self.memory = OrderedDict()  # trace id -> {spans, decision, batch}
        self.caches = {True: OrderedDict(), False: OrderedDict()}
        self.capacity = {True: sampler.decision_cache_sampled, False: sampler.decision_cache_non_sampled}
        self.batches = {}
        self.kept, self.late, self.evicted, self.decisions, self.too_large = [], [], [], [], []

    def run(self, spans):
        spans = sorted(spans, key=lambda span: span["arrival"])
        origin = spans[0]["arrival"]
        tick = 0
        for span in spans:
            while tick < (span["arrival"] - origin) // SECOND:
                self.tick(tick)
                tick += 1
            self.arrive(span, tick)
        while self.batches:
            self.tick(tick)
            tick += 1
        return self

    def arrive(self, span, tick):
        sampler, key = self.sampler, span["trace_id"]
        for decision, cache in self.caches.items():
            if key in cache:
                cache.move_to_end(key)
                self.forward_late(span, decision)
                return
        if key not in self.memory:
            if len(self.memory) >= sampler.num_traces:
                _, gone = self.memory.popitem(last=False)
                if gone["decision"] is None:
                    self.evicted += gone["spans"]
            batch = tick + max(1, int(sampler.decision_wait_s))
            self.memory[key] = {"spans": [], "decision": None, "batch": batch, "size": 0}
            self.batches.setdefault(batch, OrderedDict())[key] = True
        trace = self.memory[key]
        if trace["decision"] is not None:
            self.forward_late(span, trace["decision"])
            if not trace["decision"]:
                self.remember(key, False)
            return
        sooner = tick + int(sampler.decision_wait_after_root_received_s)
        if sampler.decision_wait_after_root_received_s and span["parent"] is None and sooner < trace["batch"]:
            del self.batches[trace["batch"]][key]
            trace["batch"] = sooner
            self.batches.setdefault(sooner, OrderedDict())[key] = True
        trace["spans"].append(span)
        trace["size"] += span["size"]
        if sampler.maximum_trace_size_bytes and trace["size"] > sampler.maximum_trace_size_bytes:
            del self.batches[trace["batch"]][key]
            self.too_large += trace["spans"]
            trace["decision"] = False
            self.remember(key, False)

    def forward_late(self, span, decision):
        self.late.append(span)
        if decision:
            self.kept.append(span)

    def remember(self, key, decision):
        if self.capacity[decision]:
            cache = self.caches[decision]
            cache[key] = True
            cache.move_to_end(key)
            if len(cache) > self.capacity[decision]:
                cache.popitem(last=False)
            self.memory.pop(key, None)

    def tick(self, tick):
        order = {key: at for at, key in enumerate(self.memory)}
        due = [key for key in self.batches.pop(tick, ()) if key in self.memory]
        for key in sorted(due, key=order.__getitem__):
            trace = self.memory.get(key)
            if trace is None or trace["decision"] is not None:
                continue
            kept = self.decide(trace, tick + 1)
            self.decisions.append((key, kept, tick + 1, len(trace["spans"])))
            if kept:
                self.kept += trace["spans"]
            trace["decision"] = kept
            self.remember(key, kept)

    def decide(self, trace, now):
        policies = self.sampler.policies
        for policy in policies:
            if policy.type == "drop" and self.ask(policy, trace, now):
                return False
        kept = False
        for policy in policies:
            if policy.type != "drop":
                kept = self.ask(policy, trace, now) or kept
                if kept and self.sampler.sample_on_first_match:
                    break
        return kept

    def ask(self, policy, trace, now):
        return getattr(self, policy.type)(policy, trace["spans"], now, trace)

    def always_sample(self, policy, spans, now, trace):
        return True

    def latency(self, policy, spans, now, trace):
        earliest = latest = 0
        for span in spans:
            earliest = span["start"] if earliest == 0 else min(earliest, span["start"])
            latest = max(latest, span["end"])
            ms = (latest - earliest) // 1_000_000
            upper = policy.upper_threshold_ms
            if ms >= policy.threshold_ms if upper == 0 else policy.threshold_ms < ms <= upper:
                return True
        return False

    def probabilistic(self, policy, spans, now, trace):
        salt = policy.hash_salt or "default-hash-seed"
        ratio = min(max(policy.sampling_percentage / 100, 0), 1)
        return fnv1a(salt.encode() + spans[0]["trace_id"]) <= int(ratio * 1000) * (2**64 - 1) // 1000

    def status_code(self, policy, spans, now, trace):
        return any(CODES[span["status"]] in policy.status_codes for span in spans)

    def span_count(self, policy, spans, now, trace):
        return policy.min_spans <= len(spans) and (policy.max_spans == 0 or len(spans) <= policy.max_spans)

    def trace_flags(self, policy, spans, now, trace):
        return any(span["flags"] & 1 for span in spans)

    def trace_state(self, policy, spans, now, trace):
        for span in spans:
            members = dict(part.split("=") for part in span["state"].split(",") if "=" in part)
            if members.get(policy.key) in policy.values:
                return True
        return False

    def _attribute(self, policy, spans, test):
        found = False
        for span in spans:
            resource = {"service.name": span["service"], **RESOURCE[span["service"]]}
            if policy.key in span["attributes"]:
                found |= test(span["attributes"][policy.key], False)
            if policy.key in resource:
                found |= test(resource[policy.key], True)
        return found != policy.invert_match

    def string_attribute(self, policy, spans, now, trace):
        def test(value, of_resource):
            text = value if isinstance(value, str) else ""
            if policy.enabled_regex_matching:
                return (of_resource or text != "") and any(re.search(p, text) for p in policy.values)
            return text != "" and text in policy.values

        return self._attribute(policy, spans, test)

    def numeric_attribute(self, policy, spans, now, trace):
        low = -(2**63) if policy.min_value is None else policy.min_value
        high = 2**63 - 1 if policy.max_value is None else policy.max_value

        def test(value, of_resource):
            return low <= (value if type(value) is int else 0) <= high

        return self._attribute(policy, spans, test)

    def boolean_attribute(self, policy, spans, now, trace):
        return self._attribute(policy, spans, lambda value, _: (value is True) == policy.value)

    def _bucket(self, policy, rate):
        return self.state.setdefault(id(policy), Bucket(rate, policy.burst_capacity or 2 * rate))

    def rate_limiting(self, policy, spans, now, trace):
        return self._bucket(policy, policy.spans_per_second).allow(now, len(spans))

    def bytes_limiting(self, policy, spans, now, trace):
        return self._bucket(policy, policy.bytes_per_second).allow(now, trace["size"])

    def and_(self, policy, spans, now, trace):
        return all(self.ask(part, trace, now) for part in policy.policies)

    def not_(self, policy, spans, now, trace):
        return not self.ask(policy.policy, trace, now)

    def composite(self, policy, spans, now, trace):
        state = self.state.setdefault(id(policy), {"second": None, "used": {}})
        if state["second"] != int(now):
            state["second"], state["used"] = int(now), {}
        total, count = policy.max_total_spans_per_second, len(policy.policies)
        for part in policy.policies:
            if self.ask(part, trace, now):
                percent = policy.rate_allocation.get(part.name)
                share = 0 if percent is None else (percent / 100 * total if percent else total / count)
                used = state["used"].get(part.name, 0) + len(spans)
                if used <= int(share) and used <= total:
                    state["used"][part.name] = used
                    return True
                return False
        return False


setattr(Twin, "and", Twin.and_)
setattr(Twin, "not", Twin.not_)
Twin.drop = Twin.and_
