"""What the scripts of other tools share: arguments, the measured call, and the line that tells what it used.

Each script runs in an environment of its own, from the repository's root: ``python -m benchmarks.others.NAME FILE 20``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

from benchmarks.order_checks import SUITES, Check

THREADS = 2


def measured(check: Callable[[str, list[Check]], int], packages: tuple[str, ...]) -> None:
    """Call ``check`` with the file and the checks; it gives how many of them are broken."""
    path, name = sys.argv[1:]
    cpu, wall = time.process_time(), time.monotonic()
    broken = check(path, SUITES[name])
    used = {"work": time.process_time() - cpu, "wall": time.monotonic() - wall, "broken": broken}
    print(json.dumps({**used, "versions": {name: version(name) for name in packages}}))
