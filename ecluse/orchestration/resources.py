"""The project as a Dagster resource, and the IO manager through which plain assets read published data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.definitions.resource_annotation import get_resource_args

from ecluse.engine import quote
from ecluse.errors import DefinitionError, EcluseError
from ecluse.model.names import ORIGIN
from ecluse.model.step import In
from ecluse.project import Project
from ecluse.step.pin import pin_input
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


class PublishedIOManager(dg.ConfigurableIOManager):
    """Lets assets that aren't guarded read what guarded ones published.

    A plain asset that takes a guarded one as a parameter gets its published rows as the type that it annotates:
    a pandas frame (default), a Polars frame or an Arrow table. A partition that it needs and that is not published
    is a failure, never an empty frame.
    """

    project: str | None = None
    profile: str | None = None

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """A guarded step publishes by itself, so nothing is left to store."""

    def load_input(self, context: dg.InputContext) -> Any:
        """The published rows of the upstream asset."""
        dataset = ".".join(context.asset_key.path)
        convert = self._convert(dataset, context.dagster_type.typing_type)
        # NOTE: a reader without partitions takes what is published; one with partitions needs those that are its own.
        own = context.has_asset_partitions and context.step_context.has_partition_key
        partitions = frozenset(context.asset_partition_keys) if own else None
        services = open_services(Project.find(self.project, self.profile))
        try:
            with services.engine() as engine:
                found = pin_input(services, In("published", dataset), partitions)
                columns = ", ".join(quote(c) for c in found.columns if c != ORIGIN)
                return convert(engine.arrow(f"SELECT {columns} FROM {found.sql}"))
        except EcluseError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        finally:
            services.close()

    def _convert(self, dataset: str, wanted: Any) -> Callable[[Any], Any]:
        """How an Arrow table becomes what the reader annotates."""
        library, name = getattr(wanted, "__module__", "").split(".")[0], getattr(wanted, "__name__", str(wanted))
        match library, name:
            case ("pyarrow", "Table"):
                return lambda table: table
            case ("polars", "DataFrame"):
                return _polars
            case ("polars", "LazyFrame"):
                return lambda table: _polars(table).lazy()
            case ("pandas", "DataFrame") | ("typing", "Any"):
                return lambda table: table.to_pandas()
        text = str(DefinitionError("orchestration.reads_as", dataset=dataset, found=f"{library}.{name}"))
        raise dg.Failure(description=text, allow_retries=False)


def _polars(table: Any) -> Any:
    import polars as pl

    return pl.from_arrow(table)


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
