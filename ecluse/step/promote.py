"""Promotion: what one environment released is collected, checked, published and released anew in the next one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecluse.door.files import confirm_snapshot, verify_files
from ecluse.door.records import Records
from ecluse.errors import BrokenData, Conflict, DefinitionError, Refused
from ecluse.model.canonical import digest
from ecluse.model.release import DataFile, Manifest, PromotedFrom, TableVersion
from ecluse.model.step import StepDefinition
from ecluse.sources import NUMBER, ReleasedFile, ReleasedFiles
from ecluse.step.releases import create_release, releases
from ecluse.step.run import run_step
from ecluse.step.services import Services
from ecluse.step.state import Ending, StepRequest, StepResult
from ecluse.warehouse import Warehouse


@dataclass(frozen=True)
class Promotion:
    """A release, and the one of the environment before that it holds. Without ``results`` it was there already."""

    manifest: Manifest
    origin: PromotedFrom
    results: tuple[StepResult, ...] = ()


def promote(
    source: Records,
    services: Services,
    definitions: Mapping[str, StepDefinition],
    dataset: str,
    version: str | None = None,
    *,
    tell: Callable[[StepResult], None] | None = None,
) -> Promotion:
    """Carry a release (the latest, or ``version``) from the environment of ``source`` into that of ``services``.

    Each product goes, partition by partition, through the guarded step of its own definition, as a source whose files
    are the released ones. The environment before is only read. ``Refused`` where its gate is closed for the release,
    with every reason; ``BrokenData`` where the step here blocks or holds rows back: what it published before stays, no
    release is made, and the same call goes on from there. ``tell`` hears each step's result.
    """
    _two_environments(source, services)
    manifest = source.find([dataset], version)
    verdict = source.judge_release(dataset, manifest, version, source.project.now())
    if manifest is None or not verdict.opens:
        asked = {"dataset": dataset, "version": manifest.version if manifest else version or ""}
        before = {"environment": source.project.environment, "profile": source.project.profile}
        raise Refused("step.promote_refused", verdict=verdict, **asked, **before)
    origin = PromotedFrom(
        source.project.name,
        source.project.environment,
        manifest.digest,
        source.state.size,
        source.state.root,
        verdict.approvals,
        _made_from(source, manifest),
    )
    if (earlier := _earlier(services, manifest, origin)) is not None:
        return earlier
    steps = {product.dataset: _definition(definitions, product) for product in manifest.products}
    warehouse = Warehouse(source.project.warehouse, source.log.database)
    verify_files(warehouse.objects, manifest.products)
    for product in manifest.products:
        confirm_snapshot(warehouse, product)
    results: list[StepResult] = []
    run_id = str(uuid.uuid4())
    for product in manifest.products:
        place = f"ecluse:{origin.project}/{origin.environment}/{product.dataset}@{manifest.version}"
        for partition in _partitions(services, product):
            step = _collecting(steps[product.dataset], warehouse, product, partition, place)
            result = run_step(step, StepRequest(run_id, partition), services)
            results.append(result)
            if tell is not None:
                tell(result)
            _confirm_whole(result, product, services)
    heads = {product.dataset: _confirm_published(services, product, results) for product in manifest.products}
    names = [product.dataset for product in manifest.products]
    made = create_release(services, names, manifest.version, promoted_from=origin, heads=heads)
    return Promotion(made, origin, tuple(results))


def _two_environments(source: Records, services: Services) -> None:
    here, there = source.project, services.project
    if here.environment == there.environment or here.database_url == there.database_url:
        raise DefinitionError(
            "step.promote_here", before=here.profile, after=there.profile, environment=here.environment
        )


def _made_from(source: Records, manifest: Manifest) -> tuple[str, ...]:
    """The names of what a release was made from, also before it was promoted itself."""
    about = [s.fact for s in source.facts if any(subject.sha256 == manifest.digest for subject in s.fact.subjects)]
    before = [PromotedFrom.of(fact.predicate) for fact in about if fact.kind == "release"]
    names = {one.dataset for one in manifest.inputs}
    return tuple(sorted(names.union(*[origin.inputs for origin in before if origin is not None])))


def _earlier(services: Services, manifest: Manifest, origin: PromotedFrom) -> Promotion | None:
    """What an earlier promotion of the same release made; ``Conflict`` where its version is another release's here."""
    for product in manifest.products:
        for signed, found in releases(services, product.dataset):
            if found.version != manifest.version:
                continue
            before = PromotedFrom.of(signed.fact.predicate)
            if before is not None and before.manifest == origin.manifest:
                return Promotion(found, before)
            raise Conflict("step.release_exists", dataset=product.dataset, version=found.version)
    return None


def _definition(definitions: Mapping[str, StepDefinition], product: TableVersion) -> StepDefinition:
    """The step whose guard the product goes through: the code's, which must promise what the release was made by."""
    found = definitions.get(product.dataset)
    if found is None:
        known = ", ".join(sorted(definitions)) or "–"
        raise DefinitionError("step.promote_definition", dataset=product.dataset, known=known)
    if found.guard.contract.digest != product.contract_digest:
        raise DefinitionError("step.promote_contract", dataset=product.dataset)
    return found


def _partitions(services: Services, product: TableVersion) -> list[str | None]:
    """The partitions to make, those first that the release no longer has: their rows may be in another one now."""
    wanted = {file.partition for file in product.files}
    head = services.warehouse.head(product.dataset)
    here = services.warehouse.files(product.dataset, head) if head is not None else ()
    # NOTE: what lies in no partition is replaced together with everything else.
    gone = set() if None in wanted else {file.partition for file in here} - wanted
    return [*sorted(gone, key=_in_order), *sorted(wanted, key=_in_order)]


def _in_order(partition: str | None) -> tuple[bool, str]:
    return partition is not None, partition or ""


def _collecting(
    definition: StepDefinition, warehouse: Warehouse, product: TableVersion, partition: str | None, place: str
) -> StepDefinition:
    """The product's step with its own guard, as a source of one partition of the release."""
    wanted = [file for file in product.files if file.partition == partition]
    paths = {f"{place}/{file.path}": file.path for file in wanted}

    def read(kept: Mapping[str, Path]) -> Mapping[str, str]:
        copies = {paths[origin]: copy for origin, copy in kept.items()}
        found = warehouse.scan_copies(product.dataset, product.snapshot_id, copies, NUMBER)
        return {origin: found[path] for origin, path in paths.items()}

    def released() -> ReleasedFiles:
        local = warehouse.fetch(product.dataset, wanted)
        files = [ReleasedFile(f"{place}/{f.path}", local[f.path], f.sha256, f.rows) for f in wanted]
        return ReleasedFiles(tuple(files), read)

    return StepDefinition(definition.name, definition.guard, "source", released, description=definition.description)


def _confirm_whole(result: StepResult, product: TableVersion, services: Services) -> None:
    """``BrokenData`` unless the step published every released row: a version holds the same rows everywhere."""
    rows = sum(file.rows for file in product.files if file.partition == result.partition)
    asked = {"dataset": result.dataset, "environment": services.project.environment}
    if result.ending is Ending.BLOCKED:
        reasons = "; ".join(block.text() for block in result.blocks)
        raise BrokenData(
            "step.promote_blocked", **asked, partition=result.partition or "all", reasons=reasons,
            profile=services.project.profile,
        )  # fmt: skip
    if result.rows != rows:
        raise BrokenData("step.promote_rows", **asked, rows=result.rows, released=rows, quarantined=result.quarantined)


def _confirm_published(services: Services, product: TableVersion, results: list[StepResult]) -> int:
    """The snapshot that is published of a product; ``Conflict`` where it isn't exactly what the steps made."""
    head = services.warehouse.head(product.dataset)
    if head is None:
        raise Conflict("step.promote_moved", dataset=product.dataset)
    files = services.warehouse.files(product.dataset, head)
    made = {r.partition: r.data_version for r in results if r.dataset == product.dataset}
    if any(made.get(p) != _content(files, p) for p in {*made, *(file.partition for file in files)}):
        raise Conflict("step.promote_moved", dataset=product.dataset)
    return head


def _content(files: tuple[DataFile, ...], partition: str | None) -> str:
    return digest(sorted(file.sha256 for file in files if file.partition == partition))
