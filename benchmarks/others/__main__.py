"""Makes an environment for each tool of ``benchmarks.validate_speed``: ``python -m benchmarks.others``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.others.environments import make

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(tempfile.gettempdir()) / "ecluse-benchmark/others")
    make(parser.parse_args().folder)
