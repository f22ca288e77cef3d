"""``ecluse validate`` from outside: its plan, its states, and its end with Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecluse.cli.app import call

#: Nobody waits for this query.
ENDLESS = "SELECT 1 FROM {batch} WHERE i = (SELECT count(*) FROM range(1000000000000) AS r(n) WHERE hash(n) % 7 = 3)"


@pytest.fixture
def given(tmp_path):
    def write(*expectations):
        pq.write_table(pa.table({"i": [1, 2, 3]}), tmp_path / "t.parquet")
        (tmp_path / "suite.json").write_text(json.dumps({"name": "s", "expectations": expectations}))
        return [str(tmp_path / "suite.json"), str(tmp_path / "t.parquet")]

    return write


def test_the_plan_is_printed_and_nothing_is_judged(given, capsys):
    broken = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "i", "min_value": 2}}
    assert call(["validate", *given(broken), "--explain"]) == 0
    assert "column_values_to_be_between__i" in capsys.readouterr().out
    assert call(["validate", *given(broken), "--explain", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["kind"] for each in found["passes"]] == ["scan"]


def test_what_could_not_be_computed_is_told_apart_from_what_is_broken(given, capsys):
    def maximum(column):
        return {"type": "expect_column_max_to_be_between", "kwargs": {"column": column, "max_value": 2}}

    assert call(["validate", *given(maximum("i"), maximum("gone"))]) == 2
    said = capsys.readouterr().out
    assert [line.split("  ")[0].strip() for line in said.splitlines() if "max_to_be" in line] == [
        "could not be computed",
        "broken",
    ]
    assert "1 could not be computed: nobody knows whether they hold." in said


def test_states_are_kept_where_the_command_says(given, tmp_path, capsys):
    arguments = given({"type": "expect_column_max_to_be_between", "kwargs": {"column": "i", "max_value": 3}})
    states = ["--states", str(tmp_path / "states"), "--json"]
    for _ in range(2):
        assert call(["validate", *arguments, *states]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["results"][0]["meta"]["ecluse"]["executed_by"] == "ecluse (merged)"
    assert list((tmp_path / "states").iterdir())


def wait_for_a_thread(pid):
    """Until a process has begun to work beside its main thread; where the system doesn't say so, a while."""
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.is_dir():
        time.sleep(5)
        return
    before = len(list(tasks.iterdir()))
    for _ in range(6000):
        if len(list(tasks.iterdir())) > before:
            return
        time.sleep(0.01)


def test_ctrl_c_ends_it_at_once_without_a_traceback(given):
    arguments = given({"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": ENDLESS}})
    start = "import sys; from ecluse.quality import gx; from ecluse.cli.app import main; gx.expectations()"
    code = f"{start}; print('ready', flush=True); main(sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, "validate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_for_a_thread(process.pid)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert said.startswith("Stopped.")
    assert "Traceback" not in said
