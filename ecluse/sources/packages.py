"""Finds data files of installed packages without importing them."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from ecluse.errors import SourceError


def package_file(name: str, path: str) -> Path:
    """The file ``path`` (relative to the installation, as the package's own record lists it) of a distribution.

    The package isn't imported: importing runs code, and some data packages don't even import.
    """
    found = _distribution(name)
    listed = {str(f): f for f in found.files or ()}
    if path not in listed:
        near = ", ".join(sorted(f for f in listed if f.rsplit(".", 1)[-1] == path.rsplit(".", 1)[-1])[:10]) or "-"
        raise SourceError("sources.package_file", name=name, version=found.version, path=path, near=near)
    return Path(str(found.locate_file(listed[path])))


def package_origin(name: str, path: str) -> str:
    """What lineage shows for a package's file: ``pypi:<name>==<version>/<path>``."""
    return f"pypi:{name}=={_distribution(name).version}/{path}"


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise SourceError("sources.package", name=name) from error
