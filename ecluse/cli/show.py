"""How commands print: tables for people, JSON for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import click

from ecluse.model.canonical import plain

#: From here on, readers that hold numbers as floats round whole ones.
_ROUNDED = 2**53


def as_json(value: Any) -> None:
    """One JSON document on standard output. Numbers that JSON readers would round, or refuse, are text."""
    click.echo(json.dumps(_spelled(plain(value)), ensure_ascii=False, indent=2, default=str, allow_nan=False))


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _spelled(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_spelled(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return str(value) if isinstance(value, int) and abs(value) >= _ROUNDED else value


def as_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None, err: bool = False
) -> None:
    """A table that fits the terminal; long cells wrap, and nothing is cut off. ``err``: beside a command's JSON."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        # NOTE: as Text, so that brackets in data aren't read as rich's markup.
        table.add_row(*(Text("–" if cell is None else str(cell)) for cell in row))
    console(err=err).print(table)


def console(*, err: bool = False) -> Any:
    """A rich console on standard output as it is now; without a terminal it is wide, so that lines stay whole."""
    import sys

    from rich.console import Console

    file = sys.stderr if err else sys.stdout
    return Console(file=file, width=None if file.isatty() else 160, highlight=False)
