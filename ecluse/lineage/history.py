"""What recorded runs say about datasets as of a time: which run's account counts, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ecluse.lineage.events import Event, event_time
from ecluse.lineage.namespaces import shown
from ecluse.model.update import INCREMENTAL

#: In place of a column: the rows themselves, whichever columns they have.
ROWS = "*"

_PRODUCING = ("ASSET", "SOURCE")


@dataclass(frozen=True, order=True)
class Node:
    """A dataset or a collected file, with its newest known version, and its columns with their types."""

    id: str
    kind: Literal["file", "table"]
    version: str | None = None
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, order=True)
class Link:
    """One dataset was made from another by the named run; ``partition`` is what that run made."""

    source: str
    target: str
    partition: str | None
    run_id: str
    at: str


@dataclass(frozen=True, order=True)
class ColumnLink:
    """One column came from another; ``target_column`` is ``ROWS`` where the source column decides which rows exist."""

    source: str
    source_column: str
    target: str
    target_column: str
    type: str
    subtype: str
    masking: bool = False


@dataclass(frozen=True)
class Account:
    """What one completed run says about one of the datasets that it wrote."""

    target: str
    links: tuple[Link, ...]
    columns: tuple[ColumnLink, ...]
    described: bool
    unknown: tuple[str, ...]


def producing(events: Iterable[Event], at: datetime | None) -> list[Event]:
    """Completed runs of assets and sources in the order of time, up to and including ``at``."""
    until = None if at is None else event_time(at)
    found = [
        event
        for event in events
        if event["eventType"] == "COMPLETE"
        and event["job"]["facets"]["jobType"]["jobType"] in _PRODUCING
        and (until is None or event["eventTime"] <= until)
    ]
    return sorted(found, key=lambda event: event["eventTime"])


def nodes_of(events: Iterable[Event]) -> dict[str, Node]:
    """Every dataset that the events name, as the last one that describes it does."""
    found: dict[str, Node] = {}
    for event in events:
        for dataset in (*event.get("inputs", ()), *event.get("outputs", ())):
            facets = dataset["facets"]
            name = _name(dataset)
            fields = facets.get("schema", {}).get("fields", ())
            before = found.get(name)
            found[name] = Node(
                id=name,
                kind="file" if facets.get("datasetType", {}).get("datasetType") == "FILE" else "table",
                version=facets.get("version", {}).get("datasetVersion") or (before.version if before else None),
                columns=tuple((f["name"], f.get("type", "")) for f in fields) or (before.columns if before else ()),
            )
    return found


def accounts(events: Iterable[Event]) -> list[Account]:
    """The accounts that count: of each partition the newest, and all of those that only added rows since.

    ``events`` stand in the order of time.
    """
    current: dict[tuple[str, str | None], list[Account]] = {}
    for event in events:
        asked = _parameters(event)
        partition = asked.get("partition")
        for output in event.get("outputs", ()):
            key = (_name(output), partition)
            if partition is None and asked.get("update") == "replace":
                current = {other: found for other, found in current.items() if other[0] != key[0]}
            kept = current.get(key, []) if asked.get("update") in INCREMENTAL else []
            current[key] = [*kept, _account(event, output, partition)]
    return [account for found in current.values() for account in found]


def _account(event: Event, output: Mapping[str, Any], partition: str | None) -> Account:
    target, run_id = _name(output), event["run"]["runId"]
    sources = sorted({_name(dataset) for dataset in event.get("inputs", ())})
    return Account(
        target=target,
        links=tuple(Link(source, target, partition, run_id, event["eventTime"]) for source in sources),
        columns=tuple(_column_links(output, target)),
        described="columnLineage" in output["facets"],
        unknown=tuple(
            error["errorMessage"]
            for error in event["run"]["facets"].get("extractionError", {}).get("errors", ())
            if error.get("task") == target
        ),
    )


def _column_links(output: Mapping[str, Any], target: str) -> Iterator[ColumnLink]:
    facet = output["facets"].get("columnLineage", {})
    fields = {**{name: f["inputFields"] for name, f in facet.get("fields", {}).items()}, ROWS: facet.get("dataset", ())}
    for column, inputs in fields.items():
        for one in inputs:
            for how in one["transformations"]:
                yield ColumnLink(
                    source=_name(one),
                    source_column=one["field"],
                    target=target,
                    target_column=column,
                    type=how["type"],
                    subtype=how["subtype"],
                    masking=how.get("masking", False),
                )


def _parameters(event: Event) -> dict[str, str]:
    listed = event["run"]["facets"].get("executionParameters", {}).get("parameters", ())
    return {parameter["key"]: parameter["value"] for parameter in listed}


def _name(dataset: Mapping[str, Any]) -> str:
    return shown(dataset["namespace"], dataset["name"])
