"""What is written down of a candidate, so that a later run can go on from it instead of computing its rows again."""

from __future__ import annotations

from typing import Any

from ecluse.model.canonical import digest
from ecluse.step.compute import own_code
from ecluse.step.pin import inputs_json
from ecluse.step.state import State


def described(state: State) -> dict[str, Any]:
    """What a candidate's step says of it to a run that takes it up; nothing of a dry run, which leaves none."""
    request, collection = state.request, state.collection
    if request.dry_run:
        return {}
    raw = collection.inputs if collection else ()
    return {
        "key": state.key,
        "code": digest(own_code(state.definition)),
        "sql": state.given if isinstance(state.given, str) else None,
        "reading": state.reading,
        "settings": None if request.settings is None else digest(request.settings),
        "run": request.run_id,
        "resources": request.resources,
        "inputs": [
            {"param": pinned.param, **said} for pinned, said in zip(state.inputs, inputs_json(state), strict=True)
        ],
        "raw": [{"origin": r.origin, "sha256": r.sha256, "bytes": r.bytes} for r in raw],
        "rejected": collection.rejected if collection else 0,
        "unique": list(state.definition.guard.contract.key),
        "columns": [[name, kind] for name, kind in state.columns.items()],
    }
