"""Who works on which partition: one live lease per dataset and partition, renewed while the work goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, text, update

from ecluse.errors import Conflict
from ecluse.store.schema import leases


@dataclass(frozen=True)
class Lease:
    """One row of the leases: a branch, its holder (a run), and until when it is held."""

    branch: str
    dataset: str
    holder: str
    expires: datetime

    def live(self, now: datetime) -> bool:
        """Whether it still holds at ``now``."""
        return now < self.expires


def take(connection: Connection, branch: str, dataset: str, holder: str, duration: timedelta) -> list[str]:
    """Take the lease of a branch; the branches of the same run that it takes the place of.

    ``Conflict`` where another run holds a live lease of the same dataset and partition. An earlier attempt of the same
    run is known to be over: Dagster starts the next one only then.
    """
    if connection.dialect.name == "postgresql":
        # NOTE: SQLite's writers take turns anyhow; here two runs could both find the partition free.
        connection.execute(text(f"LOCK TABLE {leases.name} IN SHARE ROW EXCLUSIVE MODE"))
    now = datetime.now(UTC)
    folder = branch.rsplit("/", 2)[0]
    replaced = []
    for lease in held(connection, folder):
        if lease.holder == holder:
            replaced.append(lease.branch)
            drop(connection, lease.branch)
        elif lease.live(now):
            raise Conflict(
                "warehouse.leased",
                branch=lease.branch,
                holder=lease.holder,
                until=lease.expires.isoformat(" ", "seconds"),
            )
    connection.execute(
        insert(leases).values(branch=branch, dataset=dataset, holder=holder, expires=_text(now + duration))
    )
    return replaced


def renew(connection: Connection, branch: str, holder: str, duration: timedelta) -> None:
    """Hold a branch for ``duration`` from now; ``Conflict`` where the lease is no longer the holder's."""
    statement = update(leases).where(leases.c.branch == branch, leases.c.holder == holder)
    if connection.execute(statement.values(expires=_text(datetime.now(UTC) + duration))).rowcount < 1:
        raise Conflict("warehouse.lease_lost", branch=branch)


def renew_all(connection: Connection, holder: str, duration: timedelta) -> int:
    """Hold every branch of a holder for ``duration`` from now; how many there are."""
    statement = update(leases).where(leases.c.holder == holder)
    return int(connection.execute(statement.values(expires=_text(datetime.now(UTC) + duration))).rowcount)


def holds(connection: Connection, branch: str, holder: str) -> bool:
    """Whether a branch is the holder's: also after its time, until somebody cleans up."""
    found = connection.execute(select(leases.c.holder).where(leases.c.branch == branch)).scalar()
    return bool(found == holder)


def drop(connection: Connection, branch: str) -> None:
    """Forget the lease of a branch; nothing happens where there is none."""
    connection.execute(delete(leases).where(leases.c.branch == branch))


def drop_expired(connection: Connection, branch: str, before: datetime) -> bool:
    """Forget a lease if it expired before a moment; whether it did."""
    statement = delete(leases).where(leases.c.branch == branch, leases.c.expires <= _text(before))
    return bool(connection.execute(statement).rowcount)


def held(connection: Connection, folder: str | None = None) -> Iterator[Lease]:
    """All leases, expired ones too; with ``folder`` (``<dataset>/<partition>``) only those of that partition."""
    for row in connection.execute(select(leases).order_by(leases.c.branch)).all():
        if folder is None or row.branch.rsplit("/", 2)[0] == folder:
            yield Lease(row.branch, row.dataset, row.holder, datetime.fromisoformat(row.expires))


def _text(moment: datetime) -> str:
    # NOTE: always UTC with microseconds, so that comparing the texts compares the moments.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
