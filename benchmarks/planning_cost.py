"""What planning and judging cost beside the data: ``python -m benchmarks.planning_cost``.

The twenty expectations of ``benchmarks.order_checks`` are asked of a file of a thousand rows. ``all`` is the CPU time
of the call for each expectation, the median of several; ``statements`` the part of it that the engine took; the rest is
planning and judging: Great Expectations' two calls for an expectation, and ours.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.order_suite import suite
from benchmarks.orders import made
from ecluse.engine import Engine
from ecluse.quality import validate

ROWS, TIMES = 1000, 15


def timed(method: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """A method of the engine that adds its CPU time to the last of ``spent``."""

    def call(*given: Any, **named: Any) -> Any:
        before = time.process_time()
        try:
            return method(*given, **named)
        finally:
            spent[-1] += time.process_time() - before

    return call


def main() -> None:
    """Print the times."""
    with tempfile.TemporaryDirectory() as folder:
        path, asked, spent = made(Path(folder), ROWS), suite(ROWS), [0.0]
        for name in ("rows", "row", "run", "arrow", "close", "__init__"):
            setattr(Engine, name, timed(getattr(Engine, name), spent))
        validate(path, asked)
        every, statements = [], []
        for _ in range(TIMES):
            spent.append(0.0)
            before = time.process_time()
            validate(path, asked)
            every.append((time.process_time() - before) / len(asked.expectations) * 1000)
            statements.append(spent[-1] / len(asked.expectations) * 1000)
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    print(f"{len(asked.expectations)} expectations, {machine}")
    rest = [whole - engine for whole, engine in zip(every, statements, strict=True)]
    for name, values in (("all", every), ("statements", statements), ("planning and judging", rest)):
        print(f"{name:22}{statistics.median(values):8.2f} ms for each expectation")


if __name__ == "__main__":
    main()
