"""No value of a personal column reaches Dagster's event log, the project's database, lineage or a log line."""

import sys
from pathlib import Path

import great_expectations.expectations as gxe
import pandas as pd
import pytest
from dagster_shared.serdes import serialize_value

import ecluse
from ecluse.orchestration.outbox import hand_on

sys.path.insert(0, str(Path(__file__).parent))
from conftest import guard, months, source

SECRETS = ("Zebedee", "Quimby")
ROWS = "1,5,Zebedee\n2,6,Quimby\n3,7,ok\n4,8,ok\n5,much,Zebedee Quimby\n"
KEPT = {"on_failure": "quarantine", "quarantine_at_most": 0.9}


def words(**more):
    return gxe.ExpectColumnValuesToMatchRegex(column="who", regex="^[a-z]+$", **more)


def clean(sql, *expectations, **settings):
    @ecluse.asset(
        "clean.orders",
        ins={"raw": "raw.orders"},
        grain="row",
        partitions_def=months,
        guard=guard(*expectations, **settings),
    )
    def orders(raw: ecluse.Table) -> str:
        return sql

    return orders


def python():
    @ecluse.asset(
        "clean.orders",
        ins={"raw": "raw.orders"},
        grain="row",
        partitions_def=months,
        guard=guard(words(severity="warning")),
    )
    def orders(raw: pd.DataFrame) -> pd.DataFrame:
        return raw

    return orders


PLAIN = "SELECT id, amount, who FROM raw"
CASES = {
    "quarantined": lambda: clean(PLAIN, words(severity="critical"), **KEPT),
    "blocked": lambda: clean(PLAIN, words(severity="critical")),
    "warned": python,
    "values outside of a set": lambda: clean(
        PLAIN, gxe.ExpectColumnValuesToBeInSet(column="who", value_set=["ok"], severity="critical")
    ),
    "the most common value": lambda: clean(
        PLAIN, gxe.ExpectColumnMostCommonValueToBeInSet(column="who", value_set=["x"], severity="critical")
    ),
    "a promise that can't be computed": lambda: clean(
        PLAIN, gxe.ExpectColumnMeanToBeBetween(column="who", max_value=3, severity="critical")
    ),
    "a failed conversion": lambda: clean("SELECT id, amount, CAST(CAST(who AS DOUBLE) AS VARCHAR) AS who FROM raw"),
    "an error of the query": lambda: clean("SELECT id, amount, error(who) AS who FROM raw"),
}


@pytest.mark.parametrize("case", CASES)
def test_no_personal_value_is_recorded(location, case, caplog):
    location.write("2024-01", ROWS)
    location.holds(source(location, guard=guard(**KEPT)), CASES[case]())
    result = location.run(partition="2024-01")
    assert [e for e in result.all_events if e.step_key == "clean__orders"]
    hand_on(location.project)
    records = {
        "Dagster": "\n".join(serialize_value(e) for e in location.instance.all_logs(result.run_id)),
        "the log lines": "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("py4j")),
    }
    for file in location.project.state.glob("ecluse.db*"):
        records[file.name] = file.read_bytes().decode("latin-1")
    for file in location.project.root.joinpath("lineage").rglob("*.ndjson"):
        records[file.name] = file.read_text()
    assert len(records) >= 4
    found = {name: secret for name, text in records.items() for secret in SECRETS if secret in text}
    assert not found
