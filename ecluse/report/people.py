"""The local directory of names: who stands behind a party's id, known on this machine only."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from ecluse.errors import DefinitionError

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
