"""Where a project stands: its root, profile, environment, and the places of its database, tables and keys."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecluse.errors import DefinitionError

CHARTER = "charter.yaml"


@dataclass(frozen=True)
class Project:
    """A project on disk, seen through one profile.

    ``state`` is the profile's own folder (``.ecluse/<profile>``, ignored by Git): database, tables, raw bytes, keys.
    ``replay_at`` is the moment at which a profile that replays history judges freshness; ``None`` means the real time.
    """

    root: Path
    name: str
    profile: str
    environment: str
    database_url: str
    state: Path
    replay_at: datetime | None = None
    makes_keys: bool = False

    @property
    def warehouse(self) -> Path:
        """The folder of the Iceberg tables."""
        return self.state / "warehouse"

    @property
    def raw(self) -> Path:
        """The folder of raw bytes, one file per SHA-256."""
        return self.state / "raw"

    @property
    def keys(self) -> Path:
        """The folder of private keys."""
        return self.state / "keys"

    @property
    def trust(self) -> Path:
        """The ignored local file that names keys made on first use, in profiles that allow it."""
        return self.state / "trust.json"

    @property
    def reads_url(self) -> str:
        """The database of the log of reads: a reader needs no right to write the project's own."""
        return f"sqlite:///{self.state / 'reads.db'}"

    def now(self) -> datetime:
        """The real time, in UTC."""
        return datetime.now(UTC)

    def data_now(self) -> datetime:
        """The moment at which the age of data is judged."""
        return self.replay_at or self.now()

    @classmethod
    def find(cls, project: str | Path | None = None, profile: str | None = None) -> Project:
        """The project named by ``project``, else by ``ECLUSE_PROJECT``, else the nearest parent with a charter.

        ``profile``, else ``ECLUSE_PROFILE``, else ``[tool.ecluse] profile`` in the project's ``pyproject.toml``, else
        ``demo`` chooses ``[tool.ecluse.profiles.<name>]``. Raises ``DefinitionError`` where there is none.
        """
        root = _root(project)
        settings = _settings(root)
        chosen = profile or os.environ.get("ECLUSE_PROFILE") or settings.get("profile", "demo")
        profiles: dict[str, Any] = settings.get("profiles", {"demo": {}})
        if chosen not in profiles:
            raise DefinitionError("project.profile", profile=chosen, known=", ".join(sorted(profiles)), root=root)
        found: dict[str, Any] = profiles[chosen]
        state = root / found.get("state", f".ecluse/{chosen}")
        url = found.get("database", f"sqlite:///{state / 'ecluse.db'}")
        if url.startswith("env:"):
            name = url.removeprefix("env:")
            if name not in os.environ:
                raise DefinitionError("project.secret", name=name, profile=chosen)
            url = os.environ[name]
        at = found.get("replay_at")
        return cls(
            root=root,
            name=settings.get("name", root.name),
            profile=chosen,
            environment=found.get("environment", "dev"),
            database_url=url,
            state=state,
            replay_at=at.replace(tzinfo=at.tzinfo or UTC) if isinstance(at, datetime) else None,
            makes_keys=chosen == "demo",
        )


def _root(project: str | Path | None) -> Path:
    given = project or os.environ.get("ECLUSE_PROJECT")
    if given:
        root = Path(given).expanduser().resolve()
        if not (root / CHARTER).is_file():
            raise DefinitionError("project.missing", path=root)
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CHARTER).is_file():
            return folder
    raise DefinitionError("project.missing", path=here)


def _settings(root: Path) -> dict[str, Any]:
    file = root / "pyproject.toml"
    if not file.is_file():
        return {}
    try:
        found: dict[str, Any] = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("ecluse", {})
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError("project.settings", path=file, error=error) from error
    return found
