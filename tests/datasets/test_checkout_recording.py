"""The recording of the checkout shop is what its README says, and can be made again."""

from __future__ import annotations

import getpass
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

ROOT = Path(__file__).parents[2]
HOME = ROOT / "datasets" / "checkout"
RECORDER = HOME / "record.py"
SERVICES = {"gateway", "cart", "inventory", "payment"}
REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
WINDOW = re.compile(
    r"^\| (slow|failing) \| (\w+) \| ([\d.]+) \| ([\d.]+) \| (\S+) \| (\S+) \|$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One span, its service, and its attributes as a dictionary."""

    service: str
    span: Any
    attributes: dict[str, Any]

    @property
    def start_s(self):
        return self.span.start_time_unix_nano / 1e9

    @property
    def duration_s(self):
        return (self.span.end_time_unix_nano - self.span.start_time_unix_nano) / 1e9


@dataclass(frozen=True, slots=True)
class Window:
    kind: str
    service: str
    start_s: float
    end_s: float

    def holds(self, seen):
        return self.start_s <= seen.start_s < self.end_s


def frames(folder, signal_name):
    with pa.input_stream(folder / f"{signal_name}.otlp.zst", compression="zstd") as stream:
        return stream.read()


def messages(folder, signal_name):
    content, position, bodies = frames(folder, signal_name), 0, []
    while position < len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        bodies.append(content[position + 4 : position + 4 + length])
        position += 4 + length
    assert position == len(content), "the last frame is cut"
    return bodies


@cache
def parsed(folder, signal_name):
    return [REQUESTS[signal_name].FromString(body) for body in messages(folder, signal_name)]


def values(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def spans(folder):
    return [
        Seen(values(of_resource.resource.attributes)["service.name"], span, values(span.attributes))
        for request in parsed(folder, "traces")
        for of_resource in request.resource_spans
        for scope in of_resource.scope_spans
        for span in scope.spans
    ]


def log_records(folder):
    return [
        record
        for request in parsed(folder, "logs")
        for of_resource in request.resource_logs
        for scope in of_resource.scope_logs
        for record in scope.log_records
    ]


def windows(folder):
    readme = (folder / "README.md").read_text()
    t0_s = seconds(re.search(r"starts at (\S+) ", readme)[1])
    found = []
    for kind, service, start, end, start_utc, end_utc in WINDOW.findall(readme):
        assert seconds(start_utc) == pytest.approx(t0_s + float(start), abs=0.002)
        assert seconds(end_utc) == pytest.approx(t0_s + float(end), abs=0.002)
        found.append(Window(kind, service, seconds(start_utc), seconds(end_utc)))
    return {window.kind: window for window in found}


def seconds(utc):
    return datetime.fromisoformat(utc).timestamp()


def traces(all_spans):
    by_trace = defaultdict(list)
    for seen in all_spans:
        by_trace[seen.span.trace_id].append(seen)
    return by_trace


def checkouts(all_spans):
    """Return the traces that work an order through, as dictionaries: span name -> spans."""
    found = []
    for members in traces(all_spans).values():
        by_name = defaultdict(list)
        for seen in members:
            by_name[seen.span.name].append(seen)
        if "POST /checkout" in by_name:
            found.append(by_name)
    return found


def server_spans(all_spans, service):
    return [seen for seen in all_spans if seen.service == service and seen.span.kind == Span.SPAN_KIND_SERVER]


def errors(some_spans):
    return sum(seen.span.status.code == Status.STATUS_CODE_ERROR for seen in some_spans)


@pytest.fixture(scope="module")
def recorded():
    return spans(HOME)


class TestCommittedRecording:
    def test_is_small(self):
        assert sum(path.stat().st_size for path in HOME.glob("*.otlp.zst")) < 3_000_000

    @pytest.mark.parametrize("signal_name", REQUESTS)
    def test_every_message_parses_with_the_official_library_to_the_same_bytes(self, signal_name):
        for body in messages(HOME, signal_name):
            request = REQUESTS[signal_name].FromString(body)
            assert request.SerializeToString() == body

    @pytest.mark.parametrize("signal_name", REQUESTS)
    def test_every_service_sends_every_signal_under_the_explicit_resource_only(self, signal_name):
        resources = [
            values(part.resource.attributes)
            for request in parsed(HOME, signal_name)
            for part in getattr(request, f"resource_{signal_name.replace('traces', 'spans')}")
        ]
        expected = (
            SERVICES if signal_name != "logs" else SERVICES - {"cart"}
        )  # a healthy cart has nothing to say
        assert {resource["service.name"] for resource in resources} >= expected
        for resource in resources:
            assert resource["service.instance.id"] == f"{resource['service.name']}-1"
            assert resource["deployment.environment.name"] == "recording"
            assert not [key for key in resource if key.startswith(("host.", "process.", "os."))]

    def test_every_trace_has_one_root_and_no_missing_parent(self, recorded):
        for members in traces(recorded).values():
            known = {seen.span.span_id for seen in members}
            assert len(known) == len(members)
            assert sum(not seen.span.parent_span_id for seen in members) == 1
            assert all(seen.span.parent_span_id in known for seen in members if seen.span.parent_span_id)

    def test_every_span_has_its_time(self, recorded):
        assert all(0 <= seen.duration_s < 10 for seen in recorded)

    def test_server_spans_carry_their_route(self, recorded):
        routes = {
            (seen.service, seen.attributes["http.route"])
            for service in SERVICES
            for seen in server_spans(recorded, service)
        }
        assert routes == {
            ("gateway", "/checkout"),
            ("gateway", "/products"),
            ("gateway", "/carts/{cart_id}"),
            ("cart", "/carts/{cart_id}"),
            ("inventory", "/products"),
            ("inventory", "/reservations"),
            ("inventory", "/reservations/{order_id}/confirm"),
            ("inventory", "/reservations/{order_id}/release"),
            ("payment", "/charges"),
        }

    def test_every_span_of_a_checkout_carries_the_one_order(self, recorded):
        orders = []
        for by_name in checkouts(recorded):
            ids = {seen.attributes.get("order.id") for members in by_name.values() for seen in members}
            assert len(ids) == 1
            orders.extend(ids)
        assert None not in orders
        assert len(orders) == len(set(orders)) > 500

    def test_a_confirmed_order_took_every_step_once_in_order(self, recorded):
        confirmed = 0
        for by_name in checkouts(recorded):
            if by_name["checkout"][0].attributes["checkout.outcome"] == "confirmed":
                steps = [by_name[step] for step in ("reserve", "charge", "confirm")]
                assert [len(spans_of_step) for spans_of_step in steps] == [1, 1, 1]
                starts = [spans_of_step[0].start_s for spans_of_step in steps]
                assert starts == sorted(starts)
                assert "release" not in by_name
                confirmed += 1
        assert confirmed > 500

    def test_compensations_happened_and_only_where_the_charge_failed(self, recorded):
        released = [by_name for by_name in checkouts(recorded) if "release" in by_name]
        assert len(released) > 20
        for by_name in released:
            (charge,), (reserve,), (release,) = by_name["charge"], by_name["reserve"], by_name["release"]
            assert charge.attributes["checkout.step.outcome"] in {"declined", "failed", "timed_out"}
            assert release.span.start_time_unix_nano >= charge.span.end_time_unix_nano
            assert [link.span_id for link in release.span.links] == [reserve.span.span_id]

    def test_every_failed_charge_is_compensated(self, recorded):
        for by_name in checkouts(recorded):
            failed = by_name["charge"] and by_name["charge"][0].attributes["checkout.step.outcome"] != "ok"
            assert bool(failed) == bool(by_name["release"])

    def test_retries_and_timeouts_happened(self, recorded):
        attempts = [seen for seen in recorded if "http.request.resend_count" in seen.attributes]
        timeouts = [seen for seen in recorded if seen.attributes.get("error.type") == "ReadTimeout"]
        assert {seen.attributes["http.request.resend_count"] for seen in attempts} == {1, 2}
        assert len(timeouts) > 20
        assert all(0.35 < seen.duration_s < 0.8 for seen in timeouts)

    def test_writers_waited_for_the_lock(self, recorded):
        waits = [
            seen.duration_s
            for seen in recorded
            if seen.span.name == "BEGIN" and seen.attributes["db.query.text"] == "BEGIN IMMEDIATE"
        ]
        assert sum(wait > 0.020 for wait in waits) >= 10
        assert statistics.median(waits) < 0.005

    def test_the_healthy_part_is_healthy(self, recorded):
        disturbed = windows(HOME).values()
        healthy = [
            seen
            for seen in server_spans(recorded, "gateway")
            if seen.span.name == "POST /checkout" and not any(window.holds(seen) for window in disturbed)
        ]
        assert statistics.median(seen.duration_s for seen in healthy) < 0.150
        assert errors(healthy) < 0.02 * len(healthy)

    def test_the_slow_window_of_the_readme_is_in_the_spans(self, recorded):
        slow = windows(HOME)["slow"]
        of_culprit = server_spans(recorded, slow.service)
        inside = statistics.median(seen.duration_s for seen in of_culprit if slow.holds(seen))
        outside = statistics.median(seen.duration_s for seen in of_culprit if not slow.holds(seen))
        assert inside >= 5 * outside

    def test_the_failing_window_of_the_readme_is_in_the_spans(self, recorded):
        failing = windows(HOME)["failing"]
        of_culprit = server_spans(recorded, failing.service)
        inside = [seen for seen in of_culprit if failing.holds(seen)]
        outside = [seen for seen in of_culprit if not failing.holds(seen)]
        assert errors(inside) > 0.30 * len(inside)
        assert errors(outside) < 0.02 * len(outside)

    def test_only_the_culprit_is_disturbed(self, recorded):
        (culprit,) = {window.service for window in windows(HOME).values()}
        for service in SERVICES - {culprit, "gateway"}:
            assert errors(server_spans(recorded, service)) == 0

    def test_logs_belong_to_traces_of_the_recording(self, recorded):
        known = {(seen.span.trace_id, seen.span.span_id) for seen in recorded}
        records = log_records(HOME)
        assert len(records) > 1_000
        assert {record.severity_text for record in records} == {"INFO", "WARN", "ERROR"}
        assert all((record.trace_id, record.span_id) in known for record in records)

    def test_metrics_hold_every_kind_and_exemplars_of_the_traces(self, recorded):
        known = {seen.span.trace_id for seen in recorded}
        metrics = [
            metric
            for request in parsed(HOME, "metrics")
            for of_resource in request.resource_metrics
            for scope in of_resource.scope_metrics
            for metric in scope.metrics
        ]
        assert {"gauge", "sum", "histogram", "exponential_histogram"} == {
            metric.WhichOneof("data") for metric in metrics
        }
        assert {
            "http.server.request.duration",
            "http.client.request.duration",
            "db.client.operation.duration",
            "checkout.orders",
            "checkout.orders.in_flight",
            "inventory.lock.wait",
        } <= {metric.name for metric in metrics}
        exemplars = [
            exemplar
            for metric in metrics
            for point in getattr(metric, metric.WhichOneof("data")).data_points
            for exemplar in getattr(point, "exemplars", ())
        ]
        assert exemplars
        assert all(exemplar.trace_id in known for exemplar in exemplars if exemplar.trace_id)

    def test_the_counter_of_orders_agrees_with_the_traces(self, recorded):
        outcomes = defaultdict(int)
        for by_name in checkouts(recorded):
            outcomes[by_name["checkout"][0].attributes["checkout.outcome"]] += 1
        counted = {
            values(point.attributes)["checkout.outcome"]: point.as_int
            for request in parsed(HOME, "metrics")  # cumulative: the last message counts
            for of_resource in request.resource_metrics
            for scope in of_resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "checkout.orders"
            for point in metric.sum.data_points
        }
        assert counted == dict(outcomes)

    def test_the_readme_counts_what_is_there(self, recorded):
        readme = (HOME / "README.md").read_text()
        for signal_name, number in (("traces", len(recorded)), ("logs", len(log_records(HOME)))):
            (row,) = re.findall(rf"^\| `{signal_name}\.otlp\.zst` \| (.*) \|$", readme, re.MULTILINE)
            sent, holds, size, compressed = (re.match(r"\d+", cell)[0] for cell in row.split(" | "))
            assert int(sent) == len(messages(HOME, signal_name))
            assert int(holds) == number
            assert int(size) == len(frames(HOME, signal_name))
            assert int(compressed) == (HOME / f"{signal_name}.otlp.zst").stat().st_size

    def test_nothing_names_a_machine_a_person_or_a_disk(self):
        assert_anonymous(HOME)

    def test_stack_traces_name_files_relative_to_the_import_path(self, recorded):
        stack_traces = [
            values(event.attributes)["exception.stacktrace"]
            for seen in recorded
            for event in seen.span.events
            if event.name == "exception"
        ]
        files = {file for text in stack_traces for file in re.findall(r'File "([^"]+)"', text)}
        assert "httpx/_transports/default.py" in files
        assert not [file for file in files if file.startswith(("/", "~"))]


def assert_anonymous(folder):
    """No file of a recording holds this machine's names, or what looks like an absolute path."""
    content = (
        b"".join(frames(folder, signal_name) for signal_name in REQUESTS)
        + (folder / "README.md").read_bytes()
    )
    names = [str(Path.home()), str(ROOT), sys.prefix, sys.base_prefix + "/lib", str(folder.parent)]
    if len(socket.gethostname()) > 3:
        names.append(socket.gethostname())
    if len(getpass.getuser()) > 4:
        names.append(getpass.getuser())
    for name in names:
        assert name.encode() not in content, name
    for pattern in (rb"/home/", rb"/root/", rb"/Users/", rb"/tmp/", rb"/usr/", rb"site-packages", rb"\.venv"):
        assert not re.search(pattern, content), pattern
    assert not re.search(rb"process\.pid|host\.name|process\.command", content)


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--culprit", "gateway"], "invalid choice: 'gateway'"),
            (["--seconds", "0"], "0 is not a number of at least"),
            (["--seconds", "nan"], "nan is not a number of at least"),
            (["--rate", "-1"], "-1 is not a number of at least"),
            (["--rate", "many"], "invalid number value: 'many'"),
            (["--slow", "5"], "'5' is not START:END in seconds"),
            (["--slow", "9:5"], "'9:5' is not START:END in seconds"),
            (["--slow", "-1:5"], "expected one argument"),
            (["--seconds", "10", "--failing", "8:12"], "--failing ends at 12 s, after the recording's 10 s"),
            (["--slow", "10:60", "--failing", "50:80"], "--slow and --failing overlap: 50 s is before 60 s"),
            (
                ["--culprit", "none", "--slow", "1:2"],
                "--slow and --failing need a service that has the fault",
            ),
        ],
    )
    def test_senseless_ones_end_with_code_2_and_say_why(self, arguments, message, tmp_path):
        ended = record("--out", tmp_path / "new", *arguments)
        assert ended.returncode == 2
        assert message in ended.stderr
        assert not list(tmp_path.iterdir())

    def test_a_folder_with_other_files_is_not_overwritten(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("ten years")
        ended = record("--out", tmp_path)
        assert ended.returncode == 2
        assert "holds files but no recording; give a new or empty folder" in ended.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

    def test_a_file_is_not_a_folder(self, tmp_path):
        (tmp_path / "file").write_text("")
        ended = record("--out", tmp_path / "file")
        assert ended.returncode == 2
        assert "is not a folder" in ended.stderr


def record(*arguments):
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120, check=False)


def command(*arguments):
    return [sys.executable, str(RECORDER), *map(str, arguments)]


def services_of(folder):
    """Return the service processes, still running, of a recorder with this temporary folder."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if str(HOME / "service.py") in line and any(word.startswith(str(folder)) for word in line):
            found.append(process)
    return found


@pytest.fixture
def own_temporary_folder(tmp_path, monkeypatch):
    """Make the recorder work in a folder of this test, so that its processes can be told from others'."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def ports_of(processes):
    return {
        connection.laddr.port
        for process in processes
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def start_and_await_services(folder, *arguments):
    recorder = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert recorder.stdout.readline().startswith("recording for")
    started = services_of(folder)
    assert len(started) == len(SERVICES)
    return recorder, ports_of([*started, psutil.Process(recorder.pid)])


def assert_nothing_is_left(folder, ports):
    deadline = time.monotonic() + 20
    while services_of(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert services_of(folder) == []
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow
class TestRecordingAgain:
    def test_works_with_another_culprit_and_leaves_nothing_behind(self, own_temporary_folder, tmp_path):
        out = tmp_path / "again"
        recorder, ports = start_and_await_services(
            own_temporary_folder, "--out", out, "--seconds", "10", "--culprit", "inventory"
        )
        _, stderr = recorder.communicate(timeout=100)
        assert recorder.returncode == 0, stderr
        assert len(ports) == len(SERVICES) + 1
        assert_nothing_is_left(own_temporary_folder, ports)
        assert list(own_temporary_folder.iterdir()) == []
        assert {path.name for path in out.iterdir()} == {
            *(f"{name}.otlp.zst" for name in REQUESTS),
            "README.md",
        }
        assert_anonymous(out)
        again = spans(out)
        assert {seen.service for seen in again} == SERVICES
        slow, failing = windows(out)["slow"], windows(out)["failing"]
        assert slow.service == failing.service == "inventory"
        reservations = [seen for seen in again if seen.span.name == "POST /reservations"]
        assert errors([seen for seen in reservations if failing.holds(seen)]) > 0
        assert errors([seen for seen in reservations if seen.start_s < slow.start_s]) == 0
        inside = statistics.median(seen.duration_s for seen in reservations if slow.holds(seen))
        before = statistics.median(seen.duration_s for seen in reservations if seen.start_s < slow.start_s)
        assert inside > 2 * before

    def test_works_without_a_fault_and_overwrites_an_earlier_recording(self, own_temporary_folder, tmp_path):
        out = tmp_path / "again"
        out.mkdir()
        for path in (*HOME.glob("*.otlp.zst"), HOME / "README.md"):
            shutil.copy(path, out)
        ended = record("--out", out, "--seconds", "3", "--culprit", "none", "--seed", "11")
        assert ended.returncode == 0, ended.stderr
        readme = (out / "README.md").read_text()
        assert (
            "No fault was injected.\n\n| kind | service | from (s) | to (s) | from (UTC) | to (UTC) |\n"
            in readme
        )
        assert windows(out) == {}
        assert "python datasets/checkout/record.py --seconds 3 --culprit none --seed 11\n" in readme
        assert 0 < len(checkouts(spans(out))) < 100
        assert_nothing_is_left(own_temporary_folder, ())

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_an_end_half_way_leaves_no_process_and_no_file(self, how, own_temporary_folder, tmp_path):
        out = tmp_path / "never"
        recorder, ports = start_and_await_services(own_temporary_folder, "--out", out, "--seconds", "60")
        time.sleep(2)
        recorder.send_signal(how)
        _, stderr = recorder.communicate(timeout=60)
        assert_nothing_is_left(own_temporary_folder, ports)
        assert not out.exists()
        if how != signal.SIGKILL:
            assert recorder.returncode == 130
            assert stderr.endswith("interrupted: nothing was written\n")
            assert "Traceback" not in stderr
            assert list(own_temporary_folder.iterdir()) == []

    def test_a_service_that_dies_ends_the_recording(self, own_temporary_folder, tmp_path):
        out = tmp_path / "never"
        recorder, ports = start_and_await_services(own_temporary_folder, "--out", out, "--seconds", "60")
        victim = next(process for process in services_of(own_temporary_folder) if "cart" in process.cmdline())
        victim.kill()
        _, stderr = recorder.communicate(timeout=60)
        assert recorder.returncode == 1
        assert "error: cart ended with exit code -9" in stderr
        assert_nothing_is_left(own_temporary_folder, ports)
        assert not out.exists()
