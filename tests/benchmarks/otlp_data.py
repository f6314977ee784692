"""Telemetry as a collector batches it: services of a shop, their spans, logs and metrics; made, not recorded.

100,000 spans (some 530 bytes each) in batches of 1,000 to 8,000 grouped by resource and scope, as many log
records, and 50 metric exports. Most attributes repeat; paths, users and addresses do not. Seeded.
"""

import random

from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

START = 1_760_000_000_000_000_000
SERVICES = [
    f"{name}-{role}" for name in ("checkout", "payment", "cart", "search") for role in ("api", "worker")
]
ROUTES = [f"/api/v1/{name}" for name in ("orders/{id}", "users/{id}", "cart/{id}/items", "search", "health")]
AGENTS = [
    f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{90 + n}.0 Safari/537.36" for n in range(60)
]
QUERIES = [
    f"SELECT id, status, total FROM {table} WHERE id = $1 LIMIT {n}"
    for table in ("orders", "carts")
    for n in (1, 20)
]
BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]


def put(attributes, pairs):
    for key, value in pairs:
        pair = attributes.add(key=key)
        field = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}[
            type(value)
        ]
        setattr(pair.value, field, value)


def resources(rng):
    return [
        [
            ("service.name", service),
            ("service.version", f"2.{rng.randrange(9)}.{rng.randrange(30)}"),
            ("service.instance.id", f"{rng.getrandbits(128):032x}"),
            ("deployment.environment.name", "production"),
            ("k8s.pod.name", f"{service}-{rng.getrandbits(40):010x}"),
            ("k8s.node.name", f"ip-10-0-{rng.randrange(16)}-{rng.randrange(256)}.internal"),
            ("host.arch", "amd64"),
            ("telemetry.sdk.language", "java"),
            ("process.pid", rng.randrange(1, 40_000)),
        ]
        for service in SERVICES
        for _ in range(3)
    ]


def server_span(rng):
    route = rng.choice(ROUTES)
    pairs = [
        ("http.request.method", rng.choice(("GET", "GET", "POST", "PUT"))),
        ("url.path", route.replace("{id}", str(rng.randrange(200_000)))),
        ("http.route", route),
        ("http.response.status_code", rng.choice((200, 200, 200, 201, 404, 500))),
        ("url.scheme", "https"),
        ("server.address", "shop.example.com"),
        ("server.port", 8443),
        ("client.address", f"10.{rng.randrange(9)}.{rng.randrange(256)}.{rng.randrange(256)}"),
        ("user_agent.original", rng.choice(AGENTS)),
        ("network.protocol.version", "1.1"),
        ("thread.id", rng.randrange(20, 220)),
        ("thread.name", f"http-nio-8443-exec-{rng.randrange(1, 200)}"),
    ]
    return f"GET {route}", 2, pairs


def database_span(rng):
    pairs = [
        ("db.system.name", "postgresql"),
        ("db.namespace", "shop"),
        ("db.query.text", rng.choice(QUERIES)),
        ("server.address", f"pg-{rng.randrange(6)}.shop.svc.cluster.local"),
        ("server.port", 5432),
        ("db.response.returned_rows", rng.randrange(50)),
        ("thread.id", rng.randrange(20, 220)),
        ("app.cache.hit", rng.random() < 0.8),
    ]
    return "SELECT shop.orders", 3, pairs


def internal_span(rng):
    name = rng.choice(("create", "find", "update", "validate", "publish"))
    pairs = [
        ("code.function.name", f"com.example.order.Service.{name}"),
        ("code.line.number", rng.randrange(20, 900)),
        ("thread.id", rng.randrange(20, 220)),
        ("app.tenant", f"tenant-{rng.randrange(300):03d}"),
        ("app.score", rng.random()),
    ]
    return f"Service.{name}", 1, pairs


SCOPES = (("tomcat", server_span), ("jdbc", database_span), ("app", internal_span))


def traces(spans=100_000, seed=42):
    """Return messages of spans."""
    rng = random.Random(seed)
    known, found, made = resources(rng), [], 0
    while made < spans:
        size = min(rng.choice((1000, 2000, 4000, 8000)), spans - made)
        found.append(trace_batch(rng, known, size, made).SerializeToString())
        made += size
    return found


def trace_batch(rng, known, size, first):
    message, scopes = TracesData(), {}
    trace = rng.randbytes(16)
    for number in range(size):
        resource, (scope, make) = rng.randrange(len(known)), rng.choice(SCOPES)
        if (resource, scope) not in scopes:
            envelope = message.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.26.0")
            put(envelope.resource.attributes, known[resource])
            scopes[resource, scope] = envelope.scope_spans.add()
            scopes[resource, scope].scope.name = f"io.opentelemetry.{scope}"
            scopes[resource, scope].scope.version = "2.9.0"
        if rng.random() < 0.06:
            trace = rng.randbytes(16)
        name, kind, pairs = make(rng)
        start = START + (first + number) * 100_000
        span = scopes[resource, scope].spans.add(
            trace_id=trace, span_id=rng.randbytes(8), parent_span_id=rng.randbytes(8), name=name, kind=kind,
            start_time_unix_nano=start, end_time_unix_nano=start + rng.randrange(10**8), flags=257,
        )  # fmt: skip
        put(span.attributes, pairs)
        if rng.random() < 0.05:
            event = span.events.add(name="retry", time_unix_nano=start + 1000)
            put(event.attributes, [("message.id", rng.randrange(1000)), ("message.type", "SENT")])
        if rng.random() < 0.02:
            span.status.code, span.status.message = 2, "Read timed out"
    return message


def logs(records=100_000, seed=43):
    """Return messages of log records."""
    rng = random.Random(seed)
    known, found = resources(rng), []
    for first in range(0, records, 4000):
        message, scopes = LogsData(), {}
        for number in range(first, min(first + 4000, records)):
            resource = rng.randrange(len(known))
            if resource not in scopes:
                envelope = message.resource_logs.add()
                put(envelope.resource.attributes, known[resource])
                scopes[resource] = envelope.scope_logs.add()
                scopes[resource].scope.name = "com.example.Logger"
            record = scopes[resource].log_records.add(
                time_unix_nano=START + number, observed_time_unix_nano=START + number + 5, severity_number=9,
                severity_text="INFO", trace_id=rng.randbytes(16), span_id=rng.randbytes(8), flags=1,
            )  # fmt: skip
            order, user, took = rng.randrange(10**6), rng.randrange(10**5), rng.randrange(2000)
            record.body.string_value = f"Order {order} captured for user {user} in {took} ms"
            put(record.attributes, internal_span(rng)[2])
        found.append(message.SerializeToString())
    return found


def metrics(exports=50, seed=44):
    """Return messages of metrics: a histogram, a sum and a gauge for each resource."""
    rng = random.Random(seed)
    known, found = resources(rng) * 4, []
    for export in range(exports):
        message, time = MetricsData(), START + export * 10**10
        for resource in known:
            envelope = message.resource_metrics.add()
            put(envelope.resource.attributes, resource)
            scope = envelope.scope_metrics.add()
            histogram = scope.metrics.add(name="http.server.request.duration", unit="s").histogram
            histogram.aggregation_temporality = 2
            for _ in range(8):
                counts = [rng.randrange(1000) for _ in range(len(BOUNDS) + 1)]
                point = histogram.data_points.add(
                    start_time_unix_nano=START, time_unix_nano=time, count=sum(counts),
                    sum=rng.random() * 1000, bucket_counts=counts, explicit_bounds=BOUNDS,
                )  # fmt: skip
                put(
                    point.attributes, [("http.route", rng.choice(ROUTES)), ("http.response.status_code", 200)]
                )
            total = scope.metrics.add(name="jvm.memory.used", unit="By").sum
            total.aggregation_temporality = 2
            for pool in range(6):
                point = total.data_points.add(
                    start_time_unix_nano=START, time_unix_nano=time, as_int=rng.randrange(10**9)
                )
                put(point.attributes, [("jvm.memory.pool.name", f"G1 Pool {pool}")])
            gauge = scope.metrics.add(name="system.cpu.utilization", unit="1").gauge
            for cpu in range(6):
                put(
                    gauge.data_points.add(time_unix_nano=time, as_double=rng.random()).attributes,
                    [("cpu", cpu)],
                )
        found.append(message.SerializeToString())
    return found


SIGNALS = {"traces": traces, "logs": logs, "metrics": metrics}
CLASSES = {"traces": TracesData, "logs": LogsData, "metrics": MetricsData}
