"""What a guarded step costs over the bare DuckDB work, at 30,000 rows: ``python -m benchmarks.step_cost``.

Both sides run in one process, one after the other, several times; the figure is the median of CPU seconds (user and
system, all threads). The bare side runs the same query on the same Parquet files and writes the same zstd Parquet.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import uuid
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe

from ecluse.engine import Engine, literal
from ecluse.model.charter import Charter, Gate, Party
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Guard, In, StepDefinition, Table
from ecluse.project import Project
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import StepRequest

QUERY = "SELECT id, delay, upper(carrier) AS carrier, delay > 15 AS late FROM {raw}"
ROWS = """
    SELECT i AS id, (i * 7919 % 2000 - 60)::DOUBLE AS delay, chr((97 + i % 16)::INTEGER) AS carrier
    FROM range({rows}) r(i)"""


def guard() -> Guard:
    """A contract with a key, and six expectations."""
    columns = [
        Column("id", "BIGINT"),
        Column("delay", "DOUBLE"),
        Column("carrier", "VARCHAR", nullable=False),
        Column("late", "BOOLEAN"),
    ]
    suite = gx.ExpectationSuite(
        "clean.flights",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column="delay", min_value=-60, max_value=2000),
            gxe.ExpectColumnMeanToBeBetween(column="delay", min_value=0, max_value=2000, severity="warning"),
            gxe.ExpectColumnValuesToBeInSet(column="carrier", value_set=[chr(65 + i) for i in range(16)]),
            gxe.ExpectColumnValueLengthsToEqual(column="carrier", value=1),
            gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=10**9),
            gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(column="delay", min_value=0.9, max_value=1),
        ],
    )
    contract = Contract(columns=columns, key=["id"], owner="benchmark", licence="CC0-1.0")
    return Guard(contract, lambda: suite)


def measure(rows: int, repeats: int) -> dict[str, float]:
    """CPU seconds of the bare work and of the guarded step, medians over ``repeats``."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        state = root / "state"
        url = f"sqlite:///{state / 'ecluse.db'}"
        project = Project(root, "benchmark", "demo", "benchmark", url, state, makes_keys=True)
        party = Party("pipeline", attests=("run", "publication", "evidence"))
        charter = Charter("benchmark", "", "one", ("one",), (), (Gate("one"),), (party,))
        services = open_services(project, charter)
        files = _publish_input(services, rows)

        def flights(raw: Table) -> str:
            return QUERY.format(raw=raw)

        step = StepDefinition("clean.flights", guard(), "asset", flights, (In("raw", "raw.flights"),), "row")
        bare = [_cpu(lambda n=n: _bare(files, root / f"bare-{n}")) for n in range(repeats + 1)]
        guarded = [
            _cpu(lambda: run_step(step, StepRequest(str(uuid.uuid4()), force=True), services))
            for _ in range(repeats + 1)
        ]
        services.close()
    # NOTE: the first of each warms caches and lazy imports, which a process pays once.
    return {"rows": rows, "bare": statistics.median(bare[1:]), "guarded": statistics.median(guarded[1:])}


def _publish_input(services: object, rows: int) -> list[str]:
    warehouse = services.warehouse  # type: ignore[attr-defined]
    with Engine() as engine:
        sql = ROWS.format(rows=rows)
        candidate = warehouse.begin("raw.flights", engine.describe(sql), partition=None, run_id="given", attempt=1)
        candidate = warehouse.write(engine, candidate, sql, "replace")
    prepared = warehouse.prepare([candidate])
    with services.database.transaction() as connection:  # type: ignore[attr-defined]
        prepared.apply(connection)
    return [str(warehouse.path(file)) for file in candidate.files]


def _bare(files: list[str], folder: Path) -> None:
    with Engine() as engine:
        engine.run(f"CREATE TEMP VIEW raw AS SELECT * FROM read_parquet({literal(files)})")
        engine.copy(QUERY.format(raw="raw"), folder)


def _cpu(work: object) -> float:
    before = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - before


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.rows, given.repeats)
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['rows']:,} rows, CPU seconds, median of {given.repeats}")
    print(f"  bare DuckDB query and COPY   {found['bare']:.3f}")
    print(f"  guarded step                 {found['guarded']:.3f}")
    print(f"  the guard's own cost         {found['guarded'] - found['bare']:.3f}   (bar: 0.3)")


if __name__ == "__main__":
    main()
