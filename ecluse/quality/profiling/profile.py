"""``profile``: what is in data, from a first look at some rows and a few passes over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.engine import Watch
from ecluse.quality.batch import Batch
from ecluse.quality.profiling import keys, ordered, ranks, sample, scan, shapes, values
from ecluse.quality.profiling.draft import Table, reason
from ecluse.quality.profiling.found import ColumnProfile, Profile, TableProfile
from ecluse.quality.profiling.references import references
from ecluse.quality.profiling.relation import Relation
from ecluse.quality.profiling.remarks import remarked
from ecluse.quality.validate import batch_of, opened

if TYPE_CHECKING:
    from ecluse.engine import Engine

#: How a table is measured. What one step proves, the later ones don't ask again.
STEPS: tuple[Callable[[Table], None], ...] = (
    # Some rows from all over it: what they refute isn't asked of the whole.
    sample.look,
    # A grouping for each column with few values.
    values.group,
    shapes.write,
    values.describe,
    # Two scans for everything that can be counted together.
    ordered.order,
    ordered.pairs,
    scan.scan,
    # Passes of their own, for those columns that need one.
    keys.keys,
    ranks.ranks,
    keys.duplicates,
)


def profile(
    data: Any,
    *,
    classifications: Mapping[str, str] | None = None,
    memory_limit: str | None = None,
    watch: Watch | None = None,
) -> Profile:
    """What ``data`` holds: types, gaps, distinct values, ranges, quantiles, shapes of texts, keys, duplicates.

    ``data`` is what ``validate`` takes, a ``Relation``, or a mapping from names to several of these: then columns whose
    values are another table's keys are looked for too. ``classifications`` maps columns to ``public``, ``internal``,
    ``personal`` or ``sensitive``; without one, a column that looks like people's counts as personal. No value of such a
    column is told.

    All of it is exact, but for two things, which say so: how many different values a column with many has is the
    engine's sketch, unless none repeats, and shapes of texts are told from about 50,000 rows. ``memory_limit`` and
    ``watch`` are those of ``validate``.
    """
    tables = data if isinstance(data, Mapping) else {"": data}
    with opened(memory_limit, watch) as engine:
        return profiled([table_of(engine, n, d, watch, classifications) for n, d in tables.items()])


def profiled(tables: Sequence[Table]) -> Profile:
    """The profile of tables that an engine holds."""
    for table in tables:
        measure(table)
    return Profile(tuple(told(table) for table in tables), references(tables))


def table_of(
    engine: Engine,
    name: str,
    data: Any,
    watch: Watch | None = None,
    classifications: Mapping[str, str] | None = None,
) -> Table:
    """Data as a table that can be measured."""
    if isinstance(data, Relation):
        batch = Batch(engine, data.sql, hidden=data.hidden)
        return Table(name, batch, watch or Watch(), classifications={**data.classifications, **(classifications or {})})
    batch = batch_of(engine, data)
    given = [data] if isinstance(data, (str, Path)) else data
    files = isinstance(given, Sequence) and all(isinstance(d, (str, Path)) for d in given)
    paths = [Path(d) for d in given] if files else []
    if any(path.suffix.lower() != ".parquet" for path in paths):
        paths = []
    return Table(name, batch, watch or Watch(), paths, dict(classifications or {}))


def measure(table: Table) -> None:
    """Carry out all steps; what one can't compute is remembered, and the others go on."""
    first, *others = STEPS
    first(table)
    for step in others:
        try:
            step(table)
        except Exception as error:  # noqa: BLE001 # whatever the engine says: this is "could not be computed"
            table.uncomputed[step.__name__] = reason(error)
    for column in table.columns:
        column.settle()


def told(table: Table) -> TableProfile:
    """What was measured, as plain values with remarks."""
    columns = tuple(
        ColumnProfile(
            c.name,
            c.type,
            c.kind,
            table.rows,
            classification=c.classification,
            withheld=c.withheld,
            uncomputed=c.uncomputed,
            **c.found,
        )
        for c in table.columns
    )
    return remarked(
        TableProfile(
            name=table.name,
            rows=table.rows,
            columns=columns,
            keys=tuple(table.keys),
            pairs=tuple(table.pairs),
            duplicates=table.duplicates,
            duplicates_exact=table.duplicates_exact,
            looked_at=table.looked_at,
            uncomputed=table.uncomputed,
        )
    )
