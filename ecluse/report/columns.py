"""Where each column of a release came from, in the words of the lineage graph."""

from __future__ import annotations

from collections.abc import Iterable

from ecluse.lineage import ROWS, Graph
from ecluse.model.facts import SignedFact
from ecluse.report.sheet import ColumnOrigin


def columns_of_release(graph: Graph, dataset: str, publication: SignedFact | None) -> tuple[ColumnOrigin, ...]:
    """The columns that the contract promises, each with what it was made from and where it began."""
    if publication is None:
        return ()
    return tuple(
        _column(graph, dataset, c["name"], c["type"], c.get("classification"))
        for c in publication.fact.predicate.get("columns") or ()
    )


def rows_decided_by(graph: Graph, dataset: str) -> tuple[tuple[str, str], ...]:
    """The columns that decided which rows are there: joins, filters, groupings."""
    return _pairs(
        (ln.source, ln.source_column) for ln in graph.columns if (ln.target, ln.target_column) == (dataset, ROWS)
    )


def _column(graph: Graph, dataset: str, name: str, type: str, classification: str | None) -> ColumnOrigin:
    links = [ln for ln in graph.columns if (ln.target, ln.target_column) == (dataset, name)]
    described = dataset in graph.nodes and (bool(links) or name in dict(graph.nodes[dataset].columns))
    trace = graph.column_upstream(dataset, name) if described else None
    return ColumnOrigin(
        name=name,
        type=type,
        classification=classification,
        known=described,
        direct=_pairs((ln.source, ln.source_column) for ln in links if ln.type == "DIRECT"),
        decided_by=_pairs((ln.source, ln.source_column) for ln in links if ln.type != "DIRECT"),
        origins=_pairs(trace.origins) if trace else (),
        unknown=tuple(sorted({message for _, message in trace.unknown})) if trace else (),
    )


def _pairs(found: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(set(found)))
