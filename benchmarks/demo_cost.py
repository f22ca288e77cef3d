"""What the whole demo costs after installation: ``python -m benchmarks.demo_cost``.

Runs ``python -m pipelines.demo`` in a process of its own and reads the CPU seconds (user and system) and the peak
memory that the system counted for it and for everything that it started.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Print CPU seconds, wall seconds and peak memory."""
    root = Path(__file__).parents[1]
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "pipelines.demo"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # NOTE: Linux counts kilobytes, macOS bytes.
    unit = 2**20 if sys.platform == "linux" else 2**30
    found = {
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "wall_seconds": round(time.monotonic() - started, 1),
        "peak_gb": round(used.ru_maxrss / unit, 2),
    }
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    print("the whole demo, after installation")
    print(f"  CPU seconds    {found['cpu_seconds']}   (bar: 180)")
    print(f"  wall seconds   {found['wall_seconds']}")
    print(f"  peak memory    {found['peak_gb']} GB")


if __name__ == "__main__":
    main()
