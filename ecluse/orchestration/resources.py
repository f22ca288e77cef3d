"""The project as a Dagster resource, and the IO manager through which plain assets read published data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.definitions.resource_annotation import get_resource_args

from ecluse.errors import NotComputed
from ecluse.project import Project
from ecluse.step.services import Services, open_services

RESOURCE, IO_MANAGER = "ecluse", "ecluse_io_manager"


class EcluseResource(dg.ConfigurableResource[Any]):
    """Which project and profile the guarded steps of a code location work in.

    ``project`` is its folder (default: found from ``ECLUSE_PROJECT`` or the working directory); ``profile`` is one of
    ``[tool.ecluse.profiles]``.
    """

    project: str | None = None
    profile: str | None = None

    def found(self) -> Project:
        """The project."""
        return Project.find(self.project, self.profile)

    @contextmanager
    def opened(self) -> Iterator[Services]:
        """The project's services, closed when the context ends."""
        services = open_services(self.found())
        try:
            yield services
        finally:
            services.close()


class PublishedIOManager(dg.ConfigurableIOManager):  # type: ignore[misc]
    """Lets assets that aren't guarded read what guarded ones published.

    A plain asset that takes a guarded one as a parameter gets its published rows as the type that it annotates:
    a pandas frame (default), a Polars frame or an Arrow table.
    """

    project: str | None = None
    profile: str | None = None

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """A guarded step publishes by itself, so nothing is left to store."""

    def load_input(self, context: dg.InputContext) -> Any:
        """The published rows of the upstream asset."""
        dataset = ".".join(context.asset_key.path)
        services = open_services(Project.find(self.project, self.profile))
        try:
            snapshot = services.warehouse.head(dataset) if services.warehouse.exists(dataset) else None
            if snapshot is None:
                raise NotComputed("step.input_unpublished", dataset=dataset)
            partitions = set(context.asset_partition_keys) if context.has_asset_partitions else None
            with services.engine() as engine:
                table = engine.arrow(f"SELECT * FROM {services.warehouse.scan(dataset, snapshot, partitions)}")
        finally:
            services.close()
        wanted = context.dagster_type.typing_type
        module = getattr(wanted, "__module__", "").split(".")[0]
        if module == "pyarrow":
            return table
        if module == "polars":
            import polars

            return polars.from_arrow(table)
        return table.to_pandas()


def asking_for_project(
    function: Callable[..., Any], parameters: list[inspect.Parameter], required: Collection[str]
) -> tuple[list[inspect.Parameter], set[str]]:
    """The parameters and resource keys of an asset's function with the project among them.

    Dagster takes resources as parameters or as keys, never both: the project comes the way the function's own do.
    """
    if not get_resource_args(function):
        return parameters, {*required, RESOURCE}
    project = inspect.Parameter(RESOURCE, inspect.Parameter.KEYWORD_ONLY, annotation=EcluseResource)
    return [*parameters, project], set()
