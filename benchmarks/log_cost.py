"""What the log costs when it is long: ``python -m benchmarks.log_cost --facts 1000000``.

The log holds signed publications of about the size that a project writes. It is built for real, each fact signed and
appended through the library, by every core and in large transactions. To verify it takes every core too, so that is
measured in seconds on the clock and in CPU seconds of all processes: all of it, and from a checkpoint on that was made
when the log had one fact in a hundred less. A proof is measured on the clock.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.history import START, publication
from ecluse.ledger import Checkpoint, KeyPair, Log, load_signer, new_key, sign, trust_of
from ecluse.model.charter import Charter, Gate, Key, Party
from ecluse.store import Database

BATCH = 5_000
AHEAD = 8


def charter_of(service: str) -> Charter:
    """One service that may attest publications."""
    key = Key(service, START - timedelta(days=1))
    return Charter("bench", "", "trial", ("trial",), (), (Gate("trial"),), (Party("s", (), (key,), ("publication",)),))


def signed(pair: KeyPair, numbers: range) -> list[dict[str, Any]]:
    """The envelopes of so many publications."""
    signer = load_signer(pair)
    return [sign(publication(number), signer) for number in numbers]


def build(log: Log, pair: KeyPair, facts: int) -> None:
    """Append so many publications, signed by every core."""
    batches = [range(at, min(at + BATCH, facts)) for at in range(0, facts, BATCH)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        # NOTE: a few at a time, because to append takes longer than to sign.
        for at in range(0, len(batches), AHEAD):
            for envelopes in pool.map(partial(signed, pair), batches[at : at + AHEAD]):
                with log.database.transaction() as connection:
                    log.append(connection, envelopes)


def measure(facts: int, folder: Path) -> dict[str, float]:
    """Seconds of building, verifying and proving."""
    pair = new_key(folder, "s")
    database = Database(f"sqlite:///{folder / 'ecluse.db'}")
    log = Log(database, trust_of(charter_of(pair.public)))
    built = _seconds(lambda: build(log, pair, facts))
    before = _cpu()
    verified = _seconds(lambda: log.verify(every_core=True))
    cpu = _cpu() - before
    kept = Checkpoint(facts - facts // 100, log.root(facts - facts // 100), START)
    verified_since = _seconds(lambda: log.verify(vouched=kept, every_core=True))
    proofs = [_seconds(partial(log.inclusion, at)) for at in range(0, facts, max(1, facts // 200))]
    database.close()
    return {
        "facts": facts,
        "build_seconds": built,
        "bytes": (folder / "ecluse.db").stat().st_size,
        "verify_seconds": verified,
        "verify_cpu": cpu,
        "verify_since_seconds": verified_since,
        "proof_seconds": statistics.median(proofs),
        "proof_slowest": max(proofs),
    }


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    """Print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.facts, Path(folder))
    if given.json:
        print(json.dumps(found))
        return
    million = 1e6 / found["facts"]
    print(f"a log of {found['facts']:,} facts, {found['bytes'] / 1e9:.2f} GB, built in {found['build_seconds']:.0f} s")
    print(
        f"  verify all          {found['verify_seconds']:.1f} s, {found['verify_cpu']:.1f} s of CPU: "
        f"{found['verify_seconds'] * million:.0f} s a million (bar: 60)"
    )
    print(
        f"  from a checkpoint   {found['verify_since_seconds']:.1f} s: "
        f"{found['verify_since_seconds'] * million:.0f} s a million (bar: 60)"
    )
    print(
        f"  an inclusion proof  {found['proof_seconds'] * 1000:.1f} ms, the slowest of 200 "
        f"{found['proof_slowest'] * 1000:.1f} ms (bar: 5)"
    )


if __name__ == "__main__":
    main()
