"""Which other tools there are to compare with, and where their environments lie."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Tool(NamedTuple):
    """A tool: its name in tables, its script in this folder, and what pip installs for it."""

    title: str
    script: str
    packages: tuple[str, ...]


TOOLS = {
    "pandera": Tool("pandera on Polars", "pandera_polars", ("pandera[polars]",)),
    "dataframely": Tool("dataframely on Polars", "dataframely_polars", ("dataframely",)),
    "pointblank": Tool("pointblank on Polars", "pointblank_polars", ("pointblank[pl]",)),
    "soda": Tool("soda-core 4 on DuckDB", "soda_duckdb", ("soda-duckdb>=4",)),
    "cuallee": Tool("cuallee on DuckDB", "cuallee_duckdb", ("cuallee[duckdb]", "pandas", "pyarrow")),
}


def python_of(folder: Path, tool: str) -> Path | None:
    """The Python of a tool's environment, if there is one."""
    found = folder / tool / "bin" / "python"
    return found if found.exists() else None


def make(folder: Path) -> None:
    """Make the environments that aren't there."""
    for name, tool in TOOLS.items():
        if python_of(folder, name) is None:
            subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True)
            subprocess.run([str(folder / name / "bin" / "pip"), "install", "--quiet", *tool.packages], check=True)
