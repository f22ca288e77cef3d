"""Where a project stands: its root, profile, environment, and the places of its database, tables and keys."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecluse.errors import DefinitionError
from ecluse.model.duration import duration
from ecluse.model.location import S3Location

CHARTER = "charter.yaml"


@dataclass(frozen=True)
class Project:
    """A project on disk, seen through one profile.

    ``state`` is the profile's own folder (``.ecluse/<profile>``, ignored by Git): database, tables, raw bytes, keys.
    ``tables`` is where the tables lie when they don't lie there. ``reads`` names other profiles of the project whose
    releases may be read from this one. ``candidates`` is how long a candidate is kept that was computed and not
    published. ``signers`` names where a party's key stays, by party: ``hsm:2?label=ecluse``.
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
    tables: Path | S3Location | None = None
    reads: tuple[str, ...] = ()
    candidates: timedelta = timedelta(days=14)
    signers: tuple[tuple[str, str], ...] = ()

    @property
    def warehouse(self) -> Path | S3Location:
        """The folder of the Iceberg tables, or their place in an object store."""
        return self.tables or self.state / "warehouse"

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

    @property
    def dagster_home(self) -> Path | None:
        """The folder of the project's Dagster instance; ``None`` where it has none, and nothing is to be told to it."""
        named = os.environ.get("DAGSTER_HOME")
        if named:
            return Path(named)
        home = self.root / "dagster_home"
        return home if (home / "dagster.yaml").is_file() or (home / "history").is_dir() else None

    def now(self) -> datetime:
        """The real time, in UTC."""
        return datetime.now(UTC)

    def data_now(self) -> datetime:
        """The moment at which the age of data is judged."""
        return self.replay_at or self.now()

    def reads_from(self, environment: str) -> Project:
        """This project as the door sees it when it opens releases of ``environment``: the profile's own, or another's.

        Of another one come name, database and tables. Keys, temporary files and the log of reads stay this profile's:
        nothing is ever written where the releases are. ``DefinitionError`` where ``reads`` names no such profile.
        """
        if environment == self.environment:
            return self
        profiles = _profiles(_settings(self.root))
        named = {profiles[name].get("environment", "dev"): name for name in reversed(self.reads) if name in profiles}
        if environment not in named:
            known = ", ".join([self.environment, *named])
            raise DefinitionError("project.environment", environment=environment, profile=self.profile, known=known)
        other = Project.find(self.root, named[environment])
        tables = other.warehouse
        if isinstance(tables, S3Location):
            tables = replace(tables, local=self.state / f"objects-{other.profile}")
        return replace(
            other, profile=self.profile, state=self.state, tables=tables, signers=self.signers, makes_keys=False
        )

    @classmethod
    def find(cls, project: str | Path | None = None, profile: str | None = None) -> Project:
        """The project named by ``project``, else by ``ECLUSE_PROJECT``, else the nearest parent with a charter.

        ``profile``, else ``ECLUSE_PROFILE``, else ``[tool.ecluse] profile`` in the project's ``pyproject.toml``, else
        ``demo`` chooses ``[tool.ecluse.profiles.<name>]``. Raises ``DefinitionError`` where there is none.
        """
        root = _root(project)
        settings = _settings(root)
        chosen = profile or os.environ.get("ECLUSE_PROFILE") or settings.get("profile", "demo")
        profiles = _profiles(settings)
        if chosen not in profiles:
            raise DefinitionError("project.profile", profile=chosen, known=", ".join(sorted(profiles)), root=root)
        found: dict[str, Any] = profiles[chosen]
        state = root / found.get("state", f".ecluse/{chosen}")
        url = _referenced(found.get("database", f"sqlite:///{state / 'ecluse.db'}"), "project.secret", chosen)
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
            tables=_tables(root, state, found, chosen),
            reads=tuple(_listed(found.get("reads", ()))),
            candidates=_candidates(found, chosen),
            signers=tuple((str(party), str(uri)) for party, uri in found.get("signers", {}).items()),
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


def _profiles(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = settings.get("profiles", {"demo": {}})
    return found


def _candidates(settings: dict[str, Any], profile: str) -> timedelta:
    """How long a profile keeps candidates: ``candidates = "14 days"``."""
    try:
        return duration(str(settings.get("candidates", "14 days")))
    except ValueError as error:
        raise DefinitionError("project.candidates", profile=profile, found=settings["candidates"]) from error


def _listed(setting: str | list[str] | tuple[str, ...]) -> list[str]:
    return [setting] if isinstance(setting, str) else [str(name) for name in setting]


def _referenced(setting: str, missing: str, profile: str) -> str:
    """A setting's value, which ``env:NAME`` takes from the environment."""
    if not setting.startswith("env:"):
        return setting
    name = setting.removeprefix("env:")
    if name not in os.environ:
        raise DefinitionError(missing, name=name, profile=profile)
    return os.environ[name]


def _tables(root: Path, state: Path, settings: dict[str, Any], profile: str) -> Path | S3Location | None:
    given = settings.get("warehouse")
    if given is None:
        return None
    place = _referenced(str(given), "project.place", profile)
    if "://" not in place:
        return root / place
    return S3Location.read(place, settings.get("s3", {}), state / "objects", profile)


def _settings(root: Path) -> dict[str, Any]:
    file = root / "pyproject.toml"
    if not file.is_file():
        return {}
    try:
        found: dict[str, Any] = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("ecluse", {})
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError("project.settings", path=file, error=error) from error
    return found
