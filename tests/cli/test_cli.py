"""The command line: what it prints, and what it exits with."""

import importlib.metadata
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from systems import System
from typer.testing import CliRunner

import workbench
from workbench import otlp
from workbench.cli import app
from workbench.cli.doctor import examine


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def traces(tmp_path):
    system = System()
    system.span("shop", 1, 1, name="POST /checkout", http__route="/checkout", error=True)
    system.span("pay", 1, 2, parent=1, amount=2.5)
    system.traces(tmp_path)
    return tmp_path / "traces.binpb"


def test_version(run):
    assert run("--version").output == f"workbench {workbench.__version__}\n"


def test_no_arguments_and_help_say_what_there_is(run):
    for arguments in ([], ["--help"], ["otlp", "--help"], ["notebooks", "--help"]):
        output = run(*arguments).output
        assert "Usage" in output
    assert all(name in run("--help").output for name in ("lab", "doctor", "warm", "notebooks", "otlp"))


def test_help_loads_no_room():
    heavy = {"numpy", "pyarrow", "numba", "IPython", "pytest"}
    code = f"import sys, workbench.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_inspect_tells_what_a_file_holds(run, traces):
    facts = json.loads(run("otlp", "inspect", traces, "--json").output)
    assert facts["signal"] == "traces"
    assert facts["records"] == facts["tables"]["spans"] == 2
    assert facts["services"] == {"pay": 1, "shop": 1}
    assert "http.route" in facts["keys"]
    assert facts["first"] == "2023-11-14T22:13:20+00:00"
    assert "pay 1, shop 1" in run("otlp", "inspect", traces).output


def test_head_prints_records(run, traces):
    output = run("otlp", "head", traces, "-n", 1).output
    assert "checkout" in output.lower()
    assert "1 of 2" in output
    rows = [json.loads(line) for line in run("otlp", "head", traces, "--json").output.splitlines()]
    assert [row["service.name"] for row in rows] == ["shop", "pay"]
    assert rows[0]["trace_id"] == "0" * 31 + "1"
    assert rows[0]["start_time_unix_nano"] == 1_700_000_000_000_000_000
    assert json.loads(
        run("otlp", "head", traces, "--json", "--columns", "amount").output.splitlines()[1]
    ) == {"amount": 2.5}
    assert (
        len(json.loads(run("otlp", "head", traces, "--json", "--columns", "*").output.splitlines()[0])) > 15
    )


def test_convert_writes_another_form(run, traces, tmp_path):
    target = tmp_path / "traces.jsonl.gz"
    done = json.loads(run("otlp", "convert", traces, target, "--json").output)
    assert done == {
        "signal": "traces",
        "records": 2,
        "messages": 1,
        "skipped": 0,
        "written_bytes": target.stat().st_size,
    }
    assert otlp.read(target) == otlp.read(traces)
    assert "2 records" in run("otlp", "convert", traces, tmp_path / "t.parquet").output
    assert otlp.read(tmp_path / "t.parquet") == otlp.read(traces)
    run("otlp", "convert", traces, tmp_path / "flat.parquet", "--flat")
    assert pq.read_table(tmp_path / "flat.parquet")["service.name"].to_pylist() == ["shop", "pay"]


def test_folders_and_patterns_are_read_as_files_are(run, traces, tmp_path):
    run("otlp", "convert", traces, tmp_path / "t.parquet")
    facts = json.loads(run("otlp", "inspect", tmp_path / "t.parquet", "--json").output)
    assert facts["records"] == 2
    assert facts["bytes"] == sum(path.stat().st_size for path in (tmp_path / "t.parquet").iterdir())
    (tmp_path / "traces-2.binpb").write_bytes(traces.read_bytes())
    facts = json.loads(run("otlp", "inspect", tmp_path / "traces*.binpb", "--json").output)
    assert facts["records"] == 4
    assert facts["bytes"] == 2 * traces.stat().st_size


def test_sql_asks_the_tables(run, traces):
    query = 'select "service.name" as service, trace_id from spans order by service'
    assert [
        json.loads(line)["service"]
        for line in run("otlp", "sql", traces, query, "--json").output.splitlines()
    ] == [
        "pay",
        "shop",
    ]
    assert "shop" in run("otlp", "sql", traces, query).output
    refused = run("otlp", "sql", traces, "select nothing from spans")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: ")
    assert "tables: spans" in refused.stderr


def test_who_reads_no_more_ends_a_command_without_a_word(traces):
    code = "from workbench.cli import app; app()"
    command = [sys.executable, "-c", code, "otlp", "head", str(traces), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ended:
        ended.stdout.close()
        assert ended.stderr.read() == b""
    assert ended.returncode == 1


def test_json_of_a_query_is_json_inside_lists_as_well(run, traces):
    numbers, inside = "[1.0, 'nan'::double, 'infinity'::double]", "{'raw': '\\xff'::blob}"
    query = f"select {numbers} as numbers, {inside} as inside from spans limit 1"
    (line,) = run("otlp", "sql", traces, query, "--json").output.splitlines()
    assert json.loads(line, parse_constant=pytest.fail) == {
        "numbers": [1.0, "NaN", "Infinity"],
        "inside": {"raw": "ff"},
    }


def test_rows_that_are_too_wide_are_printed_as_lists_of_what_is_in_them(run, traces):
    output = run("otlp", "sql", traces, 'select * from spans order by "service.name"').output
    lines = [line.split() for line in output.splitlines()]
    assert [line for line in lines if line[0] == "row"] == [["row", "1"], ["row", "2"]]
    assert [line[1] for line in lines if line[0] == "service.name"] == ["pay", "shop"]
    assert all(len(line) <= 80 for line in output.splitlines())
    assert run("otlp", "sql", traces, "select * from spans where false").output == "no rows\n"


def test_progress_is_shown_on_stderr_only_when_asked_for(run, traces, tmp_path):
    for arguments in (["inspect", traces], ["head", traces], ["convert", traces, tmp_path / "t.otlp"]):
        silent, told = run("otlp", *arguments), run("otlp", *arguments, "--progress")
        assert silent.stderr == ""
        assert told.stdout == silent.stdout
        assert told.exit_code == 0


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("traces.csv", b"x", "ends in no known format"),
        ("traces.pb", b"", "is empty"),
        ("data.pb", b"\x0a\x00", "pass signal="),
        ("traces.pb", b"hello world", "(at byte"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_exit_code_1(name, data, message, run, tmp_path):
    (tmp_path / name).write_bytes(data)
    result = run("otlp", "inspect", tmp_path / name)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_a_missing_file_is_exit_code_1_and_a_wrong_command_line_2(run, tmp_path):
    missing = run("otlp", "head", tmp_path / "nothing.otlp")
    assert missing.exit_code == 1
    assert "No such file or directory" in missing.stderr
    assert run("otlp", "head").exit_code == 2
    assert run("otlp", "inspect", "x.pb", "--signal", "spans").exit_code == 2
    assert run("nonsense").exit_code == 2
    assert run("otlp", "head", "x.pb", "-n", "-1").exit_code == 2


def test_skip_errors_counts(run, tmp_path):
    (tmp_path / "traces.jsonl").write_bytes(b'{,}\n{"resourceSpans": []}\n')
    assert run("otlp", "inspect", tmp_path / "traces.jsonl").exit_code == 1
    facts = json.loads(run("otlp", "inspect", tmp_path / "traces.jsonl", "--skip-errors", "--json").output)
    assert facts["skipped"] == 1


def test_warm_says_how_many_kernels_are_ready(run):
    result = run("warm")
    assert result.exit_code == 0
    assert "kernels are ready in" in result.output
    assert run("warm", "--quiet").output == ""


def test_doctor_is_content_with_the_tests_environment(run):
    result = run("doctor")
    assert result.exit_code == 0
    assert "vector features" in result.output
    checks = {check["name"]: check for check in json.loads(run("doctor", "--json").output)}
    assert checks["Python"]["status"] == "ok"
    assert {"packages", "packages [lab]", "CPU", "threads", "kernel cache"} <= set(checks)


def test_doctor_names_what_is_missing_or_old_and_the_command_that_mends_it(run, monkeypatch):
    real = importlib.metadata.version
    versions = {"pyarrow": "1.0", "nbval": None}

    def version(name):
        if versions.get(name, "") is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions.get(name) or real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    checks = {check.name: check for check in examine()}
    assert checks["packages"].status == "old"
    assert "pyarrow 1.0, not >=" in checks["packages"].found
    assert checks["packages"].mend == "pip install --upgrade 'reliability-workbench'"
    assert checks["packages [lab]"].status == "missing"
    assert checks["packages [lab]"].found.endswith(": no nbval")
    assert checks["packages [lab]"].mend == "pip install --upgrade 'reliability-workbench[lab]'"
    assert not checks["packages [lab]"].needed
    assert run("doctor").exit_code == 1
    versions.pop("pyarrow")
    assert run("doctor").exit_code == 0
