"""Data that a command is given: files, folders of files, or names of datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.cli.session import Session
from ecluse.errors import DefinitionError

if TYPE_CHECKING:
    from ecluse.step.profile import Published
    from ecluse.step.services import Services

FILES = (".parquet", ".csv")


@contextmanager
def tables_of(
    session: Session, data: Sequence[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Published], Services | None]]:
    """What ``data`` names, as tables by their names; those that are datasets; and the project, if any is one.

    A file is a table, a folder's Parquet or CSV files together are one, and anything else is a dataset's name.
    """
    tables: dict[str, Any] = {}
    datasets = [one for one in data if not _is_path(one)]
    for one in data:
        if one in datasets:
            tables[one] = None
        else:
            path = Path(one)
            tables[_free(path.stem if path.is_file() else path.name, one, tables)] = _files(path)
    if not datasets:
        yield tables, {}, None
        return
    from ecluse.step.profile import published

    with session.services() as services:
        found = {name: published(services, name) for name in datasets}
        yield (
            {name: found[name].relation if name in found else given for name, given in tables.items()},
            found,
            services,
        )


def _is_path(one: str) -> bool:
    return Path(one).suffix.lower() in FILES or "/" in one or Path(one).exists()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in FILES)
    if not found:
        raise DefinitionError("cli.empty_folder", path=path)
    return found


def _free(name: str, given: str, taken: dict[str, Any]) -> str:
    """A table's short name, or where two would share it the whole path."""
    return given if name in taken else name
