"""What the log costs when it is long: ``python -m benchmarks.log_cost --facts 1000000``.

The log holds signed publications and runs of about the size that a project writes. To verify it takes every core, so
that is measured in seconds on the clock and in CPU seconds of all processes. A proof and a verdict are medians on the
clock; the verdict is that about one release among 10,000 facts.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ecluse.gate import verdict
from ecluse.ledger import Log, Signer, load_signer, new_key, sign, trust_of
from ecluse.model.charter import Approval, Charter, Criterion, Gate, Grant, Key, Party, Purpose, Role
from ecluse.model.facts import Fact, Subject
from ecluse.model.release import DataFile, Manifest, TableVersion
from ecluse.model.verdict import Request
from ecluse.store import Database

BATCH = 5_000
JUDGED = 10_000
START = datetime(2026, 1, 1, tzinfo=UTC)
FILE = DataFile("products.delays/a.parquet", "a" * 64, 60, 600)
MANIFEST = Manifest(
    "1.0.0", (TableVersion("products.delays", "t1", 11, (FILE,), "c1", "s1"),), (), "pipeline", "bench", "dev"
)


def charter_of(service: str, person: str) -> Charter:
    """One gate, one service, one person who approves."""
    keys = {who: (Key(public, START - timedelta(days=1)),) for who, public in (("s", service), ("p", person))}
    day = date(2025, 1, 1)
    return Charter(
        "bench",
        "",
        "trial",
        ("trial",),
        (Purpose("study", "study"),),
        (Gate("trial", (Criterion("checks", "checks.broken", "==", 0),), (Approval("data-valid", "steward"),)),),
        (
            Party("s", (), keys["s"], ("run", "publication", "evidence", "release")),
            Party("p", (Role("steward", day), Role("reader", day)), keys["p"]),
        ),
        (Grant("reader", ("*",), ("study",), {"public": "clear"}),),
    )


def publication(number: int) -> Fact:
    """A publication of one file, with the fields that steps write."""
    name = f"clean.orders/data/partition=all/{number}/data_0000.parquet"
    said: dict[str, Any] = {
        "dataset": "clean.orders",
        "partition": None,
        "table_uuid": "5df41881-3aed-3515-88a7-2f4a814cf09e",
        "snapshot_id": str(number + 1),
        "previous_snapshot_id": str(number),
        "update": "append",
        "code_version": f"{number:064x}",
        "accounting": {"computed": 100, "published": 99, "quarantined": 1, "driving": 100, "out": 99},
        "inputs": [{"dataset": "raw.orders", "snapshot_id": str(number), "content": f"{number:064x}"}],
        "files": [{"path": name, "sha256": f"{number:064x}", "rows": 99, "bytes": 4096, "partition": None}],
        "columns": [{"name": f"column_{n}", "type": "BIGINT", "classification": "public"} for n in range(8)],
        "licence": "CC0-1.0",
    }
    return _fact("publication", (Subject(name, f"{number:064x}"),), said, number)


def about_the_release(charter: Charter) -> list[tuple[Fact, str]]:
    """What opens the release: its publication, check report, manifest and approval, each with who signs it."""
    subject = (Subject(FILE.path, FILE.sha256),)
    release = (Subject("products.delays@1.0.0", MANIFEST.digest),)
    check = {"name": "key", "outcome": "held", "severity": "critical", "scope": "batch", "unexpected_count": 0}
    report = {
        "about": "check-report",
        "dataset": "products.delays",
        "partition": None,
        "on": "candidate",
        "outcome": "held",
        "suite_digest": "s1",
        "checks": [check],
        "accounting_outcome": "held",
        "personal": {"outcome": "held", "findings": []},
    }
    published = {"dataset": "products.delays", "snapshot_id": "11", "suite_digest": "s1", "licence": "CC0-1.0"}
    approved = {
        "verdict": "approved",
        "question": "data-valid",
        "phase": "trial",
        "gate_digest": charter.gate_digest("trial"),
        "reason": "counted",
        "expires": "2099-01-01T00:00:00+00:00",
        "seen": 10**9,
    }
    last = JUDGED
    return [
        (_fact("publication", subject, published, last), "s"),
        (_fact("evidence", subject, report, last + 1), "s"),
        (_fact("release", release, {"manifest": MANIFEST.to_json()}, last + 2), "s"),
        (_fact("decision", release, approved, last + 3), "p"),
    ]


def measure(facts: int) -> dict[str, float]:
    """Seconds of verifying, proving and judging."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        signers: dict[str, Signer] = {who: load_signer(new_key(root, who)) for who in ("s", "p")}
        charter = charter_of(signers["s"].public, signers["p"].public)
        database = Database(f"sqlite:///{root / 'ecluse.db'}")
        log = Log(database, trust_of(charter))
        number, waiting = 0, [*about_the_release(charter)]
        while log.size < facts:
            batch = [sign(publication(n), signers["s"]) for n in range(number, number + BATCH - 4)]
            number += len(batch)
            if number >= JUDGED - 4 and waiting:
                batch += [sign(fact, signers[who]) for fact, who in waiting]
                waiting.clear()
            with database.transaction() as connection:
                log.append(connection, batch)
        size = log.size
        before = _cpu()
        seconds = _seconds(log.verify)
        cpu = _cpu() - before
        proofs = [_seconds(lambda at=at: log.inclusion(at)) for at in range(0, size, max(1, size // 50))]
        known = [fact for fact, _ in zip(log.facts(), range(JUDGED + 4 * BATCH), strict=False)][: 3 * BATCH]
        known = known[: JUDGED + 4] if size > JUDGED else known
        request = Request(
            "products.delays", "1.0.0", MANIFEST.digest, "study", "p", "trial", "bench", "dev", authenticated=True
        )
        trust = log.trust.parties()
        judged = [_seconds(lambda: verdict(request, charter, known, datetime.now(UTC), trust=trust)) for _ in range(20)]
        database.close()
    return {
        "facts": size,
        "verify_seconds": seconds,
        "verify_cpu": cpu,
        "proof_seconds": statistics.median(proofs),
        "verdict_facts": len(known),
        "verdict_seconds": statistics.median(judged),
    }


def _fact(kind: str, subjects: tuple[Subject, ...], said: dict[str, Any], number: int) -> Fact:
    return Fact(kind, subjects, said, START + timedelta(seconds=number), "bench", "dev")


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
    found = measure(given.facts)
    if given.json:
        print(json.dumps(found))
        return
    per_million = found["verify_seconds"] / found["facts"] * 1e6
    print(f"a log of {found['facts']:,} facts")
    print(
        f"  verify all               {found['verify_seconds']:.1f} s, {found['verify_cpu']:.1f} s of CPU: "
        f"{per_million:.0f} s a million (bar: 60)"
    )
    print(f"  an inclusion proof       {found['proof_seconds'] * 1000:.1f} ms (bar: 5)")
    print(f"  a verdict, {found['verdict_facts']:,} facts  {found['verdict_seconds'] * 1000:.1f} ms (bar: 20)")


if __name__ == "__main__":
    main()
