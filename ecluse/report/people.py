"""The local directory of names: who stands behind a party's id, known on this machine only."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

from ecluse.errors import DefinitionError, StorageError

if TYPE_CHECKING:
    from ecluse.project import Project

FILE = "people.toml"


def names_of(project: Project) -> dict[str, str]:
    """Names by party id, from ``people.toml`` in the profile's own folder, which Git ignores; empty without it.

    One line a person: ``p-4f8a21 = "Ada Example"``. Deleting a line makes that person's records pseudonymous again.
    """
    path = project.state / FILE
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError("report.people", path=path, error=error) from error
    return {party: name for party, name in found.items() if isinstance(name, str)}


def called(project: Project, party: str) -> str:
    """A party as people know it: by name and id where this machine knows the name, by id elsewhere."""
    name = names_of(project).get(party)
    return f"{name} ({party})" if name else party


def set_name(project: Project, party: str, name: str | None) -> bool:
    """Let this machine know a party by a name, or with ``None`` forget it; whether anything changed."""
    names = names_of(project)
    if names.get(party) == name:
        return False
    names.pop(party, None)
    if name is not None:
        names[party] = name
    path = project.state / FILE
    lines = "".join(
        f"{json.dumps(id)} = {json.dumps(known, ensure_ascii=False)}\n" for id, known in sorted(names.items())
    )
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(lines, "utf-8")
        beside.replace(path)
    except OSError as error:
        raise StorageError("report.write", path=path, error=error.strerror or error) from error
    return True
