"""Today's suites of a project, remembered as long as none of its code changes: building them loads Dagster and GX."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ecluse.model.canonical import digest
from ecluse.project import Project
from ecluse.step.suites import Suite

#: What builds suites beside the project's own code.
_BUILDERS = ("ecluse", "great-expectations")
#: Where a project keeps contracts and suites, in whatever form.
_PROMISES = "expectations"


def todays_suites(project: Project) -> dict[str, Suite]:
    """The suite of each guarded dataset, by name.

    They are remembered in the profile's folder, under a digest of every Python file of the project and of everything in
    ``expectations/``: a suite that is made from anything else is noticed with the next change of these. What raises
    while the project's code is loaded is raised.
    """
    code, memory = _code(project.root), project.state / "suites.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(memory.read_text("utf-8"))
        if kept["code"] == code:
            return {name: Suite(**suite) for name, suite in kept["suites"].items()}
    from ecluse.orchestration.runner import load_steps
    from ecluse.step.suites import suites_of

    found = suites_of(load_steps(project))
    beside = memory.with_name(f"{memory.name}.{os.getpid()}")
    # NOTE: who may not write there builds them again each time.
    with contextlib.suppress(OSError):
        beside.write_text(json.dumps({"code": code, "suites": {k: asdict(v) for k, v in found.items()}}), "utf-8")
        beside.replace(memory)
    return found


def _code(root: Path) -> str:
    """SHA-256 over the project's Python files, its expectations, and the versions of what builds suites from them."""
    files = {f.relative_to(root).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in _sources(root)}
    return digest({"files": files, "builders": {name: _version(name) for name in _BUILDERS}})


def _sources(root: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(root):
        # NOTE: a virtual environment in the project's folder is none of its code.
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__")) and f != "node_modules")
        promises = (root / _PROMISES) in (Path(name), *Path(name).parents)
        yield from (Path(name) / file for file in files if promises or file.endswith(".py"))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"
