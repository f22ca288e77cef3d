"""A contract as expectations, so that there is one truth about what was checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ecluse.model.contract import Contract, Freshness
from ecluse.model.outcome import Scope
from ecluse.quality import gx
from ecluse.quality.groups import smallest_group

#: GX's suite parameter that carries the oldest time at which published data is still fresh.
FRESH_SINCE = "fresh_since"


def compile_contract(contract: Contract) -> list[gx.Expectation]:
    """The contract's promises as GX expectations, all critical.

    Columns are there and of their types, key and required columns hold no null, the key is unique in the resulting
    table, nobody stands out there from a group of the size that k-anonymity asks for, and published data is no older
    than its freshness allows.
    """
    gxe = gx.expectations()
    names = [c.name for c in contract.columns]
    found = [gxe.ExpectTableColumnsToMatchSet(column_set=names, exact_match=False, meta=_meta())]
    found += [gxe.ExpectColumnTypeToBe(column=c.name, type_=c.type, meta=_meta()) for c in contract.columns]
    required = [c.name for c in contract.columns if not c.nullable or c.name in contract.key]
    found += [gxe.ExpectColumnValuesToNotBeNull(column=name, meta=_meta()) for name in required]
    if len(contract.key) == 1:
        found.append(gxe.ExpectColumnValuesToBeUnique(column=contract.key[0], meta=_meta(Scope.TABLE)))
    elif contract.key:
        found.append(gxe.ExpectCompoundColumnsToBeUnique(column_list=list(contract.key), meta=_meta(Scope.TABLE)))
    if contract.k_anonymity:
        found.append(smallest_group(contract.k_anonymity, contract.columns, _meta(Scope.TABLE)))
    if contract.freshness:
        found.append(
            gxe.ExpectColumnMaxToBeBetween(
                column=contract.freshness.column,
                min_value={"$PARAMETER": FRESH_SINCE},
                meta=_meta(Scope.PUBLISHED, within=contract.freshness.within),
            )
        )
    return found


def freshness_parameters(freshness: Freshness | None, data_now: datetime) -> dict[str, Any]:
    """What the freshness expectation is filled with at a check made at ``data_now``."""
    return {} if freshness is None else {FRESH_SINCE: data_now - freshness.age}


def _meta(scope: Scope = Scope.BATCH, **more: str) -> dict[str, Any]:
    return {"ecluse": {"scope": scope.value, "from": "contract", **more}}
