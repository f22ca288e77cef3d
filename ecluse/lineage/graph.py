"""The questions that lineage answers: upstream, downstream, impact, where a column came from, and what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from ecluse.errors import DefinitionError
from ecluse.lineage.events import Event
from ecluse.lineage.history import ROWS, ColumnLink, Link, Node, accounts, nodes_of, producing

_Item = TypeVar("_Item")
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Part:
    """A part of the graph: its datasets, and how they were made from each other."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """The pairs of datasets that are linked, each once, however many partitions link them."""
        return tuple(sorted({(link.source, link.target) for link in self.links}))


@dataclass(frozen=True)
class Trace:
    """Where a column came from: every link on the way, and the columns at which the record ends.

    ``unknown`` holds (dataset, what could not be understood): there the way may go on where nobody sees it.
    """

    links: tuple[ColumnLink, ...]
    origins: tuple[tuple[str, str], ...]
    unknown: tuple[tuple[str, str], ...]


@dataclass(frozen=True, order=True)
class Reached:
    """A column that a change would reach, or with ``ROWS`` all columns of a dataset.

    DIRECT: its values come from the changed column. INDIRECT: the changed column decides about it. UNKNOWN: the
    dataset is made from what is reached, in a way that was not understood.
    """

    dataset: str
    column: str
    how: Literal["DIRECT", "INDIRECT", "UNKNOWN"]


@dataclass(frozen=True)
class Difference:
    """What is in one graph and not in another."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    links_added: tuple[tuple[str, str], ...]
    links_removed: tuple[tuple[str, str], ...]
    columns_added: tuple[ColumnLink, ...]
    columns_removed: tuple[ColumnLink, ...]


class Graph:
    """Datasets and columns as recorded runs link them, as of ``at`` (the end of the record where it is ``None``).

    ``events`` are those of ``EventStore.events()`` or read back from files; of each partition the newest completed
    run counts, so that a dataset's links are those by which its present rows were made.
    """

    def __init__(self, events: Iterable[Event], *, at: datetime | None = None) -> None:
        found = producing(events, at)
        told = accounts(found)
        self.nodes = nodes_of(found)
        self.links = tuple(sorted({link for account in told for link in account.links}))
        self.columns = tuple(sorted({link for account in told for link in account.columns}))
        # A column without a link in a dataset that is described comes from no column: a constant, a count of rows.
        self._described = {account.target for account in told if account.described}
        unknown: dict[str, set[str]] = defaultdict(set)
        for account in told:
            unknown[account.target].update(account.unknown)
        self.unknown = {name: tuple(sorted(messages)) for name, messages in unknown.items() if messages}
        self._columns_by_target = _grouped(self.columns, lambda link: (link.target, link.target_column))
        self._columns_by_source = _grouped(self.columns, lambda link: (link.source, link.source_column))
        self._targets = _grouped(sorted({(ln.source, ln.target) for ln in self.links}), lambda pair: pair[0])

    def upstream(self, dataset: str, *, depth: int | None = None) -> Part:
        """What a dataset was made from, directly and through others; ``depth`` bounds the steps."""
        return self._part(dataset, depth, lambda link: (link.target, link.source))

    def downstream(self, dataset: str, *, depth: int | None = None) -> Part:
        """What was made from a dataset, directly and through others; ``depth`` bounds the steps."""
        return self._part(dataset, depth, lambda link: (link.source, link.target))

    def column_upstream(self, dataset: str, column: str, *, rows: bool = False) -> Trace:
        """Where a column came from, back to the columns of files or to where the record ends.

        ``column`` may be ``ROWS``: what decided which rows exist.
        With ``rows``, the columns that decided which rows exist are followed too.
        """
        self._known_column(dataset, column)
        made = self._columns_by_target
        seen, waiting = {(dataset, column)}, [(dataset, column)]
        links: set[ColumnLink] = set()
        origins: set[tuple[str, str]] = set()
        while waiting:
            one = waiting.pop()
            direct = made.get(one, [])
            if not direct and one[1] != ROWS and one[0] not in self._described:
                origins.add(one)
            for link in direct + (made.get((one[0], ROWS), []) if rows else []):
                links.add(link)
                source = (link.source, link.source_column)
                if source not in seen:
                    seen.add(source)
                    waiting.append(source)
        return Trace(
            tuple(sorted(links)),
            tuple(sorted(origins)),
            tuple((name, message) for name in sorted({d for d, _ in seen}) for message in self.unknown.get(name, ())),
        )

    def impact(self, dataset: str, column: str) -> tuple[Reached, ...]:
        """Everything that a change of one column would reach, each once, with the strongest way in which it does."""
        self._known_column(dataset, column)
        rank = {"DIRECT": 2, "INDIRECT": 1, "UNKNOWN": 0}
        found: dict[tuple[str, str], Literal["DIRECT", "INDIRECT", "UNKNOWN"]] = {}
        waiting: list[Reached] = [Reached(dataset, column, "DIRECT")]
        while waiting:
            one = waiting.pop()
            for after in self._next(one):
                key = (after.dataset, after.column)
                if key not in found or rank[after.how] > rank[found[key]]:
                    found[key] = after.how
                    waiting.append(after)
        found.pop((dataset, column), None)
        return tuple(sorted(Reached(*key, how) for key, how in found.items()))

    def difference(self, later: Graph) -> Difference:
        """What ``later`` has that this graph lacks, and the other way round."""
        before, after = ({(link.source, link.target) for link in g.links} for g in (self, later))
        columns_before, columns_after = set(self.columns), set(later.columns)
        return Difference(
            added=tuple(sorted(later.nodes.keys() - self.nodes.keys())),
            removed=tuple(sorted(self.nodes.keys() - later.nodes.keys())),
            links_added=tuple(sorted(after - before)),
            links_removed=tuple(sorted(before - after)),
            columns_added=tuple(sorted(columns_after - columns_before)),
            columns_removed=tuple(sorted(columns_before - columns_after)),
        )

    def _part(self, dataset: str, depth: int | None, ends: Callable[[Link], tuple[str, str]]) -> Part:
        self._known(dataset)
        by_near = _grouped(self.links, lambda link: ends(link)[0])
        seen, layer = {dataset}, {dataset}
        links: set[Link] = set()
        while layer and (depth is None or depth > 0):
            step = [link for near in layer for link in by_near.get(near, ())]
            links.update(step)
            layer = {ends(link)[1] for link in step} - seen
            seen |= layer
            depth = None if depth is None else depth - 1
        return Part(tuple(sorted(self.nodes[name] for name in seen)), tuple(sorted(links)))

    def _next(self, one: Reached) -> Iterable[Reached]:
        for _, target in self._targets.get(one.dataset, ()):
            if target in self.unknown:
                yield Reached(target, ROWS, "UNKNOWN")
            elif one.column == ROWS:
                yield Reached(target, ROWS, "UNKNOWN" if one.how == "UNKNOWN" else "INDIRECT")
        for link in self._columns_by_source.get((one.dataset, one.column), ()):
            direct = link.type == "DIRECT" and one.how == "DIRECT"
            yield Reached(link.target, link.target_column, "DIRECT" if direct else "INDIRECT")

    def _known(self, dataset: str) -> Node:
        if dataset not in self.nodes:
            known = ", ".join(sorted(self.nodes)) or "-"
            raise DefinitionError("lineage.unknown_dataset", dataset=dataset, known=known)
        return self.nodes[dataset]

    def _known_column(self, dataset: str, column: str) -> None:
        columns = {ROWS} | {name for name, _ in self._known(dataset).columns}
        linked = {link.source_column for link in self.columns if link.source == dataset}
        linked |= {link.target_column for link in self.columns if link.target == dataset}
        if column not in columns | linked:
            known = ", ".join(sorted((columns | linked) - {ROWS})) or "-"
            raise DefinitionError("lineage.unknown_column", dataset=dataset, column=column, known=known)


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    found: dict[_Key, list[_Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found
