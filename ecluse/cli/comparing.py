"""Comparing versions of a dataset: an engine of bounded memory, which leaves nothing in the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from ecluse.cli.working import working

if TYPE_CHECKING:
    from ecluse.engine import Engine, Watch

T = TypeVar("T")

_MEMORY = "1GB"


def comparing(compare: Callable[[Engine], T], *, quietly: bool) -> T:
    """What ``compare`` finds with an engine of its own; a bar shows how far it is, unless ``quietly``."""

    def work(watch: Watch) -> T:
        from ecluse.engine import Engine

        watch.stage = "comparing"
        # NOTE: who compares may have no right to write into the project; the folder is this user's alone.
        with (
            TemporaryDirectory(prefix="ecluse-") as folder,
            Engine(memory_limit=_MEMORY, temp_directory=Path(folder), watch=watch) as engine,
        ):
            return compare(engine)

    return working(work, quietly=quietly)
