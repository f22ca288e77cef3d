"""Écluse: no dataset reaches a model until its checks passed, its sources are known and the right people approved.

Names are imported when they are first used: ``import ecluse`` loads neither DuckDB nor Dagster nor GX.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecluse import errors, testing
    from ecluse.door.load import load
    from ecluse.door.verify import verify
    from ecluse.model.contract import Classification, Column, Contract, Freshness, KAnonymity, Keep
    from ecluse.model.step import DatabaseQuery, Files, Guard, Table
    from ecluse.orchestration.assets import asset, source
    from ecluse.orchestration.definitions import definitions
    from ecluse.orchestration.guard import guard
    from ecluse.sources import package_file
    from ecluse.step.observe import observe

__all__ = [
    "Classification",
    "Column",
    "Contract",
    "DatabaseQuery",
    "Files",
    "Freshness",
    "Guard",
    "KAnonymity",
    "Keep",
    "Table",
    "asset",
    "definitions",
    "errors",
    "guard",
    "load",
    "observe",
    "package_file",
    "source",
    "testing",
    "verify",
]

#: Where each public name lives: its module, and its name there (``None``: the module itself).
_HOMES: dict[str, tuple[str, str | None]] = {
    "Classification": ("ecluse.model.contract", "Classification"),
    "Column": ("ecluse.model.contract", "Column"),
    "Contract": ("ecluse.model.contract", "Contract"),
    "DatabaseQuery": ("ecluse.model.step", "DatabaseQuery"),
    "Files": ("ecluse.model.step", "Files"),
    "Freshness": ("ecluse.model.contract", "Freshness"),
    "Guard": ("ecluse.model.step", "Guard"),
    "KAnonymity": ("ecluse.model.contract", "KAnonymity"),
    "Keep": ("ecluse.model.contract", "Keep"),
    "Table": ("ecluse.model.step", "Table"),
    "asset": ("ecluse.orchestration", "asset"),
    "definitions": ("ecluse.orchestration", "definitions"),
    "errors": ("ecluse.errors", None),
    "guard": ("ecluse.orchestration", "guard"),
    "load": ("ecluse.door", "load"),
    "observe": ("ecluse.step.observe", "observe"),
    "package_file": ("ecluse.sources", "package_file"),
    "source": ("ecluse.orchestration", "source"),
    "testing": ("ecluse.testing", None),
    "verify": ("ecluse.door", "verify"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ecluse' has no attribute {name!r}; it has {', '.join(__all__)}")
    module, attribute = _HOMES[name]
    home = import_module(module)
    found = home if attribute is None else getattr(home, attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
