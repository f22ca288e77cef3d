"""Changes ``charter.yaml`` where it stands: comments, order and layout of everything else stay as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import yaml

from ecluse.charterfile import load_charter, read_charter
from ecluse.errors import DefinitionError
from ecluse.model.charter import Charter, Key


def revoke_key(path: Path, public: str, at: datetime) -> Charter:
    """Write into a charter's file that a key is revoked from ``at`` on; returns the charter that it holds then.

    ``DefinitionError`` where the charter doesn't list the key, where it was revoked before, and where the file can't be
    changed without changing anything else: then it stays as it is.
    """
    before = load_charter(path)
    listed = next((k for party in before.parties for k in party.keys if k.public == public), None)
    if listed is None:
        raise DefinitionError("charter.key_not_listed", path=path, public=public[:16])
    if listed.revoked is not None:
        raise DefinitionError("charter.key_revoked", path=path, public=public[:16], at=listed.revoked.isoformat())
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    node = _entry(yaml.compose(text, Loader=yaml.SafeLoader), public)
    changed = _with_entry(text, node, f"revoked: {at.isoformat()}") if node is not None else text
    after = _revoked(before, listed, at)
    try:
        found = read_charter(changed, path)
    except DefinitionError:
        found = None
    if found != after:
        raise DefinitionError("charter.not_editable", path=path, public=public[:16], at=at.isoformat())
    _write(path, changed)
    return after


def _revoked(charter: Charter, listed: Key, at: datetime) -> Charter:
    parties = (
        replace(party, keys=tuple(replace(key, revoked=at) if key == listed else key for key in party.keys))
        for party in charter.parties
    )
    return replace(charter, parties=tuple(parties))


def _entry(node: yaml.Node | None, public: str) -> yaml.MappingNode | None:
    """The mapping that lists a public key."""
    if isinstance(node, yaml.MappingNode):
        if any(name.value == "public" and value.value == public for name, value in node.value):
            return node
        return next((found for _, value in node.value if (found := _entry(value, public)) is not None), None)
    if isinstance(node, yaml.SequenceNode):
        return next((found for value in node.value if (found := _entry(value, public)) is not None), None)
    return None


def _with_entry(text: str, node: yaml.MappingNode, entry: str) -> str:
    if node.flow_style:
        end = node.end_mark.index - 1
        return f"{text[:end]}, {entry}{text[end:]}"
    # NOTE: after the line's end, or a comment behind the last value would move to the new entry.
    newline = "\r\n" if "\r\n" in text else "\n"
    last = text.find(newline, node.value[-1][1].end_mark.index)
    end = len(text) if last < 0 else last
    return f"{text[:end]}{newline}{' ' * node.start_mark.column}{entry}{text[end:]}"


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, "utf-8", newline="")
        beside.chmod(path.stat().st_mode)
        beside.replace(path)
    except OSError as error:
        raise DefinitionError("charter.not_written", path=path, error=error.strerror or error) from error
