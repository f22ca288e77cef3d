"""Who works on which partition: one live lease per dataset and partition, renewed while the work goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update

from ecluse.errors import Conflict
from ecluse.store.schema import leases
from ecluse.warehouse.process import Process, this_process

#: Runs of this process that ended, and could not say so because the database was away.
_given_up: set[str] = set()


@dataclass(frozen=True)
class Lease:
    """One row of the leases: a branch, its holder (a run), until when it is held, and the process that works on it.

    ``process`` is ``None`` where the holder gave the lease back, or its system doesn't say.
    """

    branch: str
    dataset: str
    holder: str
    expires: datetime
    process: Process | None = None

    @property
    def abandoned(self) -> bool:
        """Whether nobody can come back to it: its process is provably dead, or this one, which gave it up."""
        if self.process is None:
            return False
        return self.process.dead() or (self.holder in _given_up and self.process == this_process())

    def live(self, now: datetime) -> bool:
        """Whether it still holds at ``now``."""
        return now < self.expires and not self.abandoned

    def over_since(self, moment: datetime, now: datetime) -> bool:
        """Whether it ended at ``moment`` or before. When a process died is unknown: to be sure, only ``now``."""
        return (min(self.expires, now) if self.abandoned else self.expires) <= moment


def clock(connection: Connection) -> datetime:
    """The time by which leases are judged: on a server its own, so that all machines mean the same moment."""
    if connection.dialect.name == "postgresql":
        found = connection.execute(select(func.clock_timestamp())).scalar_one()
        return found.astimezone(UTC)  # type: ignore[no-any-return]
    return datetime.now(UTC)


def take(
    connection: Connection, branch: str, dataset: str, holder: str, duration: timedelta, *, shared: bool = False
) -> list[str]:
    """Take the lease of a branch; the branches of the same run that it takes the place of.

    ``Conflict`` where another run holds a live lease of the same dataset and partition. An earlier attempt of the same
    run is known to be over: Dagster starts the next one only then. With ``shared``, several runs may hold one: they
    find out what the others did when they publish.
    """
    if connection.dialect.name == "postgresql":
        # NOTE: SQLite's writers take turns anyhow; here two runs could both find the partition free.
        connection.execute(text(f"LOCK TABLE {leases.name} IN SHARE ROW EXCLUSIVE MODE"))
    now = clock(connection)
    folder = branch.rsplit("/", 2)[0]
    _given_up.discard(holder)
    replaced = []
    for lease in held(connection, folder):
        if lease.holder == holder:
            replaced.append(lease.branch)
            drop(connection, lease.branch)
        elif lease.live(now) and not shared:
            raise _leased(lease)
    connection.execute(insert(leases).values(branch=branch, dataset=dataset, holder=holder, **_held(now + duration)))
    return replaced


def come_first(connection: Connection) -> None:
    """Wait now for those who take leases, and not later with a table locked that they want next."""
    if connection.dialect.name == "postgresql":
        # NOTE: whoever changes leases and tables in one transaction locks them in this order, or two could deadlock.
        connection.execute(text(f"LOCK TABLE {leases.name} IN ROW EXCLUSIVE MODE"))


def take_over(connection: Connection, branch: str, holder: str, duration: timedelta) -> None:
    """Hold a branch that another run left; ``Conflict`` where somebody is at work on it, or on its partition."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {leases.name} IN SHARE ROW EXCLUSIVE MODE"))
    now = clock(connection)
    for lease in held(connection, branch.rsplit("/", 2)[0]):
        if lease.live(now):
            raise _leased(lease)
    statement = update(leases).where(leases.c.branch == branch)
    if connection.execute(statement.values(holder=holder, **_held(now + duration))).rowcount < 1:
        raise Conflict("warehouse.lease_lost", branch=branch)


def renew(connection: Connection, branch: str, holder: str, duration: timedelta) -> None:
    """Hold a branch for ``duration`` from now; ``Conflict`` where the lease is no longer the holder's."""
    statement = update(leases).where(leases.c.branch == branch, leases.c.holder == holder)
    if connection.execute(statement.values(**_held(clock(connection) + duration))).rowcount < 1:
        raise Conflict("warehouse.lease_lost", branch=branch)


def renew_all(connection: Connection, holder: str, duration: timedelta) -> int:
    """Hold every branch of a holder for ``duration`` from now; how many there are."""
    statement = update(leases).where(leases.c.holder == holder)
    return int(connection.execute(statement.values(**_held(clock(connection) + duration))).rowcount)


def give_back(connection: Connection, branch: str, holder: str) -> None:
    """End a lease now, and keep its branch; ``Conflict`` where the lease is no longer the holder's."""
    statement = update(leases).where(leases.c.branch == branch, leases.c.holder == holder)
    if connection.execute(statement.values(expires=_text(clock(connection)), **_worked_on_by(None))).rowcount < 1:
        raise Conflict("warehouse.lease_lost", branch=branch)


def give_up(holder: str) -> None:
    """Remember that a run of this process is over, where its leases can't be given back."""
    _given_up.add(holder)


def holds(connection: Connection, branch: str, holder: str) -> bool:
    """Whether a branch is the holder's: also after its time, until somebody cleans up."""
    found = connection.execute(select(leases.c.holder).where(leases.c.branch == branch)).scalar()
    return bool(found == holder)


def drop(connection: Connection, branch: str) -> None:
    """Forget the lease of a branch; nothing happens where there is none."""
    connection.execute(delete(leases).where(leases.c.branch == branch))


def drop_unchanged(connection: Connection, lease: Lease) -> bool:
    """Forget a lease if it still is as it was read: neither renewed nor taken over; whether it was."""
    found = connection.execute(select(leases).where(leases.c.branch == lease.branch).with_for_update()).first()
    if found is None or _lease(found) != lease:
        return False
    drop(connection, lease.branch)
    return True


def held(connection: Connection, folder: str | None = None) -> Iterator[Lease]:
    """All leases, expired ones too; with ``folder`` (``<dataset>/<partition>``) only those of that partition."""
    for row in connection.execute(select(leases).order_by(leases.c.branch)).all():
        if folder is None or row.branch.rsplit("/", 2)[0] == folder:
            yield _lease(row)


def _leased(lease: Lease) -> Conflict:
    until = lease.expires.isoformat(" ", "seconds")
    return Conflict("warehouse.leased", branch=lease.branch, holder=lease.holder, until=until)


def _lease(row: Row[Any]) -> Lease:
    process = None if row.place is None else Process(row.place, row.pid, row.started)
    return Lease(row.branch, row.dataset, row.holder, datetime.fromisoformat(row.expires), process)


def _held(until: datetime) -> dict[str, Any]:
    return {"expires": _text(until), **_worked_on_by(this_process())}


def _worked_on_by(process: Process | None) -> dict[str, Any]:
    if process is None:
        return {"place": None, "pid": None, "started": None}
    return {"place": process.place, "pid": process.pid, "started": process.started}


def _text(moment: datetime) -> str:
    # NOTE: always UTC with microseconds, so that comparing the texts compares the moments.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
