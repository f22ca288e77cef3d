"""Commands in processes of their own, forked from one that has imported what is slow to import."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["dagster", "great_expectations", "duckdb", "ecluse.cli.app"])


def carried_out(arguments: list[str], *, seconds: float) -> tuple[int, str, str]:
    """The exit code of ``ecluse`` with these arguments, and what it printed to standard output and error."""
    with tempfile.TemporaryDirectory() as place:
        out, err = (Path(place) / name for name in ("out", "err"))
        process = _SERVER.Process(target=_carry_out, args=(arguments, str(out), str(err)))
        process.start()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            raise TimeoutError(f"ecluse {' '.join(arguments)}: {err.read_text('utf-8')}")
        assert process.exitcode is not None
        return process.exitcode, out.read_text("utf-8"), err.read_text("utf-8")


def _carry_out(arguments: list[str], out: str, err: str) -> None:
    """What the child does. Both streams are files of the operating system's, so that whatever is started inherits them."""
    for number, name in ((1, out), (2, err)):
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    for name in [n for n in os.environ if n.startswith(("ECLUSE_", "DAGSTER_"))]:
        del os.environ[name]
    sys.argv = ["ecluse", *arguments]

    from ecluse.cli.app import main

    main()
