"""Helpers for the tests of a project: carry out one guarded step on a few rows, with no Dagster instance."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.errors import DefinitionError
from ecluse.model.accounting import RowAccounting
from ecluse.model.charter import Charter, Gate, Party, Role
from ecluse.model.names import quarantine_name
from ecluse.model.outcome import CheckResult
from ecluse.model.step import StepDefinition
from ecluse.project import Project

if TYPE_CHECKING:
    import pyarrow as pa

    from ecluse.step.services import Services
    from ecluse.step.state import StepResult

__all__ = ["StepVerdict", "TestedStep", "run_step"]


@dataclass(frozen=True)
class StepVerdict:
    """Whether the step would publish, and if not, every reason."""

    publishes: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class TestedStep:
    """What one step made of its inputs. ``candidate`` holds the rows that would be published (or were blocked)."""

    __test__ = False

    candidate: pa.Table
    quarantine: pa.Table | None
    checks: dict[str, CheckResult]
    accounting: RowAccounting | None
    verdict: StepVerdict
    result: StepResult


def run_step(
    asset: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    partition: str | None = None,
    published: Any = None,
    at: datetime | None = None,
    **arguments: Any,
) -> TestedStep:
    """Carry out the guarded step of ``asset`` on given inputs, in a temporary project that is deleted afterwards.

    ``inputs`` maps each parameter of ``ins=`` to its rows: a list of dicts, an Arrow table, a pandas or Polars frame,
    or the path of a Parquet file. ``published`` are rows that the asset has published already, given in the same way,
    for an ``update`` that looks at them. ``arguments`` are the function's further ones (resources, config). A blocked
    step is a result; a mistake in the definition or an unreadable source is the error that it would be in a run.
    """
    definition = _definition(asset)
    given = dict(inputs or {})
    wanted = [i.param for i in definition.ins]
    if set(given) != set(wanted):
        raise DefinitionError(
            "step.test_inputs", dataset=definition.name, given=", ".join(given) or "–", wanted=", ".join(wanted) or "–"
        )
    with tempfile.TemporaryDirectory(prefix="ecluse-") as folder:
        before = {} if published is None else {definition.name: published}
        return _carry_out(definition, given, before, Path(folder), partition, at, arguments)


def _carry_out(
    definition: StepDefinition,
    given: Mapping[str, Any],
    before: Mapping[str, Any],
    folder: Path,
    partition: str | None,
    at: datetime | None,
    arguments: Mapping[str, Any],
) -> TestedStep:
    from ecluse.step.run import run_step as carry_out
    from ecluse.step.services import open_services
    from ecluse.step.state import StepRequest

    state = folder / "state"
    url = f"sqlite:///{state / 'ecluse.db'}"
    project = Project(folder, "testing", "demo", "test", url, state, replay_at=at, makes_keys=True)
    services = open_services(project, _charter())
    try:
        for wanted in definition.ins:
            _publish(services, wanted.dataset, given[wanted.param])
        for dataset, data in before.items():
            _publish(services, dataset, data, partition)
        result = carry_out(definition, StepRequest(str(uuid.uuid4()), partition, arguments=arguments), services)
        candidate = _rows(services, definition.name, result.snapshot_id)
        quarantined = quarantine_name(definition.name)
        held = services.warehouse.head(quarantined) if services.warehouse.exists(quarantined) else None
        return TestedStep(
            candidate=candidate,
            quarantine=_rows(services, quarantined, held) if held is not None else None,
            checks={c.name: c for c in result.checks},
            accounting=result.accounting,
            verdict=StepVerdict(result.published, tuple(b.text() for b in result.blocks)),
            result=result,
        )
    finally:
        services.close()


def _definition(asset: Any) -> StepDefinition:
    if isinstance(asset, StepDefinition):
        return asset
    from ecluse.orchestration.registry import step_definition

    found = step_definition(asset)
    if found is None:
        raise DefinitionError("step.test_asset", found=type(asset).__name__)
    return found


def _charter() -> Charter:
    service = Party("testing", (Role("pipeline", date(2000, 1, 1)),), attests=("run", "publication", "evidence"))
    return Charter("testing", "", "testing", ("testing",), (), (Gate("testing"),), (service,))


def _publish(services: Services, dataset: str, data: Any, partition: str | None = None) -> None:
    """Publish given rows, as they are: what is tested is the step behind or upon them."""
    with services.engine() as engine:
        if isinstance(data, (str, Path)):
            from ecluse.engine import literal

            source = f"SELECT * FROM read_parquet({literal(str(data))})"
        else:
            table = _table(data)
            if not table.columns:
                raise DefinitionError("step.test_columns", dataset=dataset)
            engine.connection.register("given", table)
            source = "SELECT * FROM given"
        columns = engine.describe(source)
        candidate = services.warehouse.begin(dataset, columns, partition=partition, run_id="given", attempt=1)
        candidate = services.warehouse.write(engine, candidate, source, "replace")
    prepared = services.warehouse.prepare([candidate])
    with services.database.transaction() as connection:
        prepared.apply(connection)


def _table(data: Any) -> Any:
    if isinstance(data, list):
        import pyarrow as pa

        return pa.Table.from_pylist(data)
    if type(data).__module__.startswith("polars"):
        return data.lazy().collect().to_arrow()
    return data


def _rows(services: Services, dataset: str, snapshot: int | None) -> pa.Table:
    assert snapshot is not None
    with services.engine() as engine:
        return engine.arrow(f"SELECT * FROM {services.warehouse.scan(dataset, snapshot)}")
