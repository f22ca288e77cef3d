"""A product and its source: the steps by which rows of a file are published in an update mode, with the model beside."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe

from ecluse.engine import Engine, quote
from ecluse.model.contract import Column, Contract
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.model.update import IS_CURRENT, VALID_FROM, VALID_TO
from ecluse.step.held import named
from ecluse.warehouse import Warehouse
from tests.step.plain_model import Delivery, Given, Holds, Promised, Version

GIVEN = {"id": "BIGINT", "at": "BIGINT", "name": "VARCHAR", "amount": "INTEGER", "extra": "BIGINT"}
PLAIN = (
    Promised("id", "BIGINT", "id"),
    Promised("at", "BIGINT", "at"),
    Promised("name", "VARCHAR", "name"),
    Promised("amount", "INTEGER", "amount"),
)
DATED = (
    PLAIN[0],
    Promised(VALID_FROM, "BIGINT", "at"),
    Promised(VALID_TO, "BIGINT", "until"),
    Promised(IS_CURRENT, "BOOLEAN", "current"),
    *PLAIN[2:],
)
DECLARED = {
    "replace": {},
    "append": {},
    "merge": {"newest_by": ("at",)},
    "partition": {"partition_by": "'p' || \"at\""},
    "history": {"tracked": ("name",)},
}
KEYS = {"append": (), "history": ("id", VALID_FROM)}


@dataclass
class Product:
    """A product as it is declared now, and as the model has it; ``versions`` is what each snapshot was.

    ``beside`` is what the newest publication left in quarantine, as a rollback brings it back.
    """

    mode: str
    promised: tuple[Promised, ...]
    quarantines: bool
    now: Version = field(default_factory=Version)
    versions: dict[int, Version] = field(default_factory=dict)
    moments: list[tuple[datetime, int]] = field(default_factory=list)
    given: list[Delivery] = field(default_factory=list)
    numbers: itertools.count = field(default_factory=itertools.count)
    raw: tuple[Given, ...] | None = None
    beside: Holds = field(default_factory=dict)
    quarantine: int | None = None

    @property
    def name(self) -> str:
        return f"products.{self.mode}"

    @property
    def partitions(self) -> tuple[str | None, ...]:
        return (None, "a", "b") if self.mode in ("replace", "append") else (None,)

    def delivery(self, given: tuple[Given, ...], partition: str | None = None) -> Delivery:
        """Rows under the contract as it is now."""
        return Delivery(given, self.promised, partition, self.quarantines)

    def source(self, path: Path) -> StepDefinition:
        """The step that collects the file of a delivery."""
        contract = Contract(tuple(Column(n, t) for n, t in GIVEN.items()), owner="shop", licence="CC0-1.0")
        suite = gx.ExpectationSuite("raw")
        return StepDefinition(f"raw.{self.mode}", Guard(contract, lambda: suite), "source", lambda: Files(path))

    def step(self, *, lenient: bool = False) -> StepDefinition:
        """The step that publishes what was collected; a ``lenient`` one quarantines all but the last row."""
        at_most = 0.99 if lenient else 0.5 if self.quarantines else 0
        own = ("until", "current")
        listed = ", ".join(f"{quote(p.source)} AS {quote(p.name)}" for p in self.promised if p.source not in own)
        amount = next(p.name for p in self.promised if p.source == "amount")
        good = gxe.ExpectColumnValuesToBeBetween(column=amount, min_value=0, severity="critical")

        def compute(raw: Table) -> str:
            return f"SELECT {listed} FROM {raw} WHERE name <> 'skip'"

        contract = Contract(
            columns=tuple(Column(p.name, p.type, was=p.was) for p in self.promised),
            key=KEYS.get(self.mode, ("id",)),
            owner="shop",
            licence="CC0-1.0",
            **({"on_failure": "quarantine", "quarantine_at_most": at_most} if at_most else {}),
        )
        suite = gx.ExpectationSuite(self.name, expectations=[good])
        return StepDefinition(
            self.name,
            Guard(contract, lambda: suite),
            "asset",
            compute,
            (In("raw", f"raw.{self.mode}"),),
            "row",
            self.mode,
            filters={"skipped": "name = 'skip'"},
            **DECLARED[self.mode],
        )


def opened(mode: str, *, quarantines: bool) -> Product:
    """A product of which nothing was delivered yet."""
    return Product(mode, DATED if mode == "history" else PLAIN, quarantines)


def in_quarantine(engine: Engine, warehouse: Warehouse, product: Product) -> list[tuple[Any, ...]]:
    """Each row in quarantine: its name, the partition of its run, the one in which it lies, and its values."""
    name = quarantine_name(product.name)
    head = warehouse.head(name)
    if head is None:
        return []
    columns = list(warehouse.columns(name, head))
    names = ", ".join(quote(field.name) for field in product.now.fields)
    found = []
    for place in warehouse.partitions(name, head):
        rows = named(columns, warehouse.scan(name, head, {place}))
        read = engine.rows(f"SELECT _row, _partition, {names} FROM ({rows})")
        found += [(row, part, place, tuple(values)) for row, part, *values in read]
    return sorted(found, key=lambda one: repr(one[3]))
