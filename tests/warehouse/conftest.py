"""A warehouse in a temporary folder, and the few steps that most tests begin with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ecluse.engine import Engine
from ecluse.store import Database
from ecluse.warehouse import Candidate, Warehouse

COLUMNS = {"id": "BIGINT", "name": "VARCHAR"}


@dataclass
class House:
    """A warehouse with its database and an engine."""

    root: Path
    engine: Engine
    database: Database
    warehouse: Warehouse
    runs: Iterator[int] = field(default_factory=itertools.count)

    def begin(self, dataset="clean.t", partition=None, columns=None, run=None, **more) -> Candidate:
        run = run or f"run{next(self.runs)}"
        given = columns or COLUMNS
        return self.warehouse.begin(
            dataset, given, partition=partition, run_id=run, attempt=more.pop("attempt", 1), **more
        )

    def staged(self, sql, update="replace", **begin) -> Candidate:
        return self.warehouse.write(self.engine, self.begin(**begin), sql, update)

    def publish(self, *candidates, tags=None) -> None:
        prepared = self.warehouse.prepare(candidates, tags or {})
        with self.database.transaction() as connection:
            prepared.apply(connection)

    def published(self, sql, update="replace", **begin) -> int:
        candidate = self.staged(sql, update, **begin)
        self.publish(candidate)
        return candidate.snapshot_id

    def rows(self, dataset="clean.t", snapshot=None, partitions=None) -> list[tuple]:
        snapshot = snapshot or self.warehouse.head(dataset)
        return self.engine.rows(f"SELECT * FROM {self.warehouse.scan(dataset, snapshot, partitions)} ORDER BY ALL")

    def data_files(self) -> set[str]:
        return {str(path.relative_to(self.warehouse.root)) for path in self.warehouse.root.rglob("*.parquet")}


@pytest.fixture
def make_house(tmp_path) -> Iterator[Callable[..., House]]:
    made = []

    def make(folder="project", **options) -> House:
        root = tmp_path / folder
        database = Database(f"sqlite:///{tmp_path / 'ecluse.db'}")
        house = House(root, Engine(threads=1), database, Warehouse(root / "warehouse", database, **options))
        made.append(house)
        return house

    yield make
    for house in made:
        house.engine.close()
        house.database.close()


@pytest.fixture
def house(make_house) -> House:
    return make_house()
