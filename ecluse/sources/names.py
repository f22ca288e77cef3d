"""Compares the columns that were found with the columns that were promised."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse import texts
from ecluse.errors import SourceError
from ecluse.model.contract import Contract

_SHOWN = 12


def compare(found: Sequence[str], contract: Contract, shown: str, *, ordered: bool = True) -> None:
    """Raise ``SourceError("sources.header")`` unless ``found`` are exactly the contract's columns.

    It names what is missing, unknown, repeated or, where ``ordered``, in another order.
    """
    promised = [c.name for c in contract.columns]
    if list(found) == promised or (not ordered and sorted(found) == sorted(promised)):
        return
    differences = {
        "missing": [n for n in promised if n not in found],
        "unknown": [n for n in found if n not in promised],
        "repeated": sorted({n for n in found if found.count(n) > 1}),
    }
    said = [texts.say(f"sources.columns.{kind}", names=_few(names)) for kind, names in differences.items() if names]
    if not said:
        said = [texts.say("sources.columns.reordered", names=_few(found))]
    raise SourceError("sources.header", path=shown, differences="; ".join(said), promised=_few(promised, len(promised)))


def _few(names: Sequence[str], most: int = _SHOWN) -> str:
    # NOTE: a headerless file shows its first row of values here, so each name is cut short.
    shown = [repr(n if len(n) <= 40 else n[:40] + "…") for n in names[:most]]
    return ", ".join([*shown, *(["…"] if len(names) > most else [])])
