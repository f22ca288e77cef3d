"""Which release of some datasets is the latest: what a reader gets who names no version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ecluse.model.facts import Subject

#: How a reader asks for it by name; no release may have it as its version.
LATEST = "latest"
#: NOTE: as many digits as any version needs, because Python refuses to read numbers of thousands.
_SEMANTIC = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


class Stated(Protocol):
    """A fact, whoever signed it."""

    @property
    def kind(self) -> str:
        """Its kind."""

    @property
    def subjects(self) -> Sequence[Subject]:
        """What it is about."""

    @property
    def predicate(self) -> Mapping[str, Any]:
        """What it says."""


_Fact = TypeVar("_Fact", bound=Stated)


def semantic(version: str) -> tuple[int, ...]:
    """The three numbers of a semantic version; none for another name.

    >>> semantic("1.10.0") > semantic("1.9.3"), semantic("2024-spring")
    (True, ())
    """
    found = _SEMANTIC.fullmatch(version)
    return tuple(int(part) for part in found.groups()) if found else ()


def latest(facts: Iterable[_Fact], datasets: Iterable[str]) -> _Fact | None:
    """The release that is the latest of those that hold all of some datasets; ``None`` where no release does.

    ``facts`` are those of one environment in the log's order. Each release takes the place of the one before, save that
    a lower version, the patch of an older line, doesn't while the latest stands. A withdrawn one stays the latest until
    another is made: no older one takes its place.
    """
    wanted = {*datasets}
    found: _Fact | None = None
    withdrawn: set[str] = set()
    for fact in facts:
        if fact.kind == "decision" and fact.predicate.get("verdict") == "withdrawn":
            withdrawn |= {str(subject.sha256) for subject in fact.subjects}
        elif fact.kind == "release" and wanted <= _products(fact):
            stands = found is not None and not withdrawn.intersection(s.sha256 for s in found.subjects)
            if found is None or not stands or not _lower(version_of(fact), version_of(found)):
                found = fact
    return found


def release_named(facts: Iterable[_Fact], datasets: Iterable[str], version: str | None) -> _Fact | None:
    """The release with that version that holds all of some datasets; the latest where the version is none or says so.

    ``facts`` are as for ``latest``. Where a version was released twice, the second is meant.
    """
    if version is None or version == LATEST:
        return latest(facts, datasets)
    return latest([fact for fact in facts if fact.kind == "release" and version_of(fact) == version], datasets)


def version_of(release: Stated) -> str:
    """The version that a release states; empty where it states none."""
    version = _manifest(release).get("version")
    return version if isinstance(version, str) else ""


def _lower(one: str, other: str) -> bool:
    """Whether a version is lower than another; a name that is no semantic version is as new as its release."""
    return bool(semantic(one)) and semantic(one) < semantic(other)


def _products(release: Stated) -> set[str]:
    stated = _manifest(release).get("products")
    products = stated if isinstance(stated, list) else []
    return {str(product.get("dataset")) for product in products if isinstance(product, dict)}


def _manifest(release: Stated) -> Mapping[str, Any]:
    manifest = release.predicate.get("manifest")
    return manifest if isinstance(manifest, dict) else {}
