"""The project's own store of events: appended with what they report, exported to files, forwarded from an outbox."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, update

from ecluse.lineage.events import Event, event_time
from ecluse.lineage.export import Day, export_days
from ecluse.lineage.forward import deliver, transport_of
from ecluse.store import Database
from ecluse.store.schema import events as table


@dataclass(frozen=True)
class Forwarded:
    """What one round of forwarding did: ``error`` says why it ended early, ``configured`` if there is a transport."""

    sent: int
    waiting: int
    configured: bool = True
    error: str = ""


class EventStore:
    """OpenLineage events in the project's database, in the order of their arrival."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, connection: Connection, events: Iterable[Event]) -> None:
        """Append events within the caller's transaction: they stand exactly when what they report stands."""
        rows = [
            {
                "time": event["eventTime"],
                "type": event["eventType"],
                "run_id": event["run"]["runId"],
                "job": event["job"]["name"],
                # NOTE: ASCII, so that characters are bytes and the export can compare sizes.
                "event": json.dumps(event, sort_keys=True, separators=(",", ":"), allow_nan=False),
                "attempts": 0,
            }
            for event in events
        ]
        if rows:
            connection.execute(insert(table), rows)

    def events(
        self,
        *,
        job: str | None = None,
        run_id: str | None = None,
        type: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Event]:
        """Events in the order of their arrival, of one job, run or type where given; ``until`` is included."""
        query = select(table.c.event).order_by(table.c.id)
        for column, wanted in ((table.c.job, job), (table.c.run_id, run_id), (table.c.type, type)):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(table.c.time >= event_time(since))
        if until is not None:
            query = query.where(table.c.time <= event_time(until))
        with self._database.reading() as connection:
            found = connection.execute(query).scalars().all()
        return (json.loads(event) for event in found)

    def export(self, folder: Path) -> tuple[Path, ...]:
        """Write what ``folder`` lacks: one NDJSON file per UTC day, which only ever grows. The files that grew."""
        day = func.substr(table.c.time, 1, 10)
        sizes = select(day, func.sum(func.length(table.c.event) + 1)).group_by(day).order_by(day)
        with self._database.reading() as connection:
            days = [Day(str(name), int(size)) for name, size in connection.execute(sizes)]

            def lines(name: str) -> list[str]:
                query = select(table.c.event).where(day == name).order_by(table.c.id)
                return list(connection.execute(query).scalars())

            return export_days(folder, days, lines)

    def waiting(self) -> int:
        """How many events wait in the outbox."""
        with self._database.reading() as connection:
            query = select(func.count()).select_from(table).where(table.c.forwarded.is_(None))
            return int(connection.execute(query).scalar_one())

    def forward(self, config: Path, *, limit: int = 500, seconds: float = 5.0) -> Forwarded:
        """Send waiting events to the transport that ``config`` (an ``openlineage.yml``) names, for ``seconds`` at most.

        A backend that is dead, slow or refuses changes nothing but the count of attempts: the events wait. The first
        failure ends the round. Events that were tried least go first, so that one which a backend refuses doesn't
        keep the others back. An event may arrive twice where an answer was lost. Raises ``DefinitionError`` where
        the file can't be used.
        """
        transport = transport_of(config, seconds)
        if transport is None:
            return Forwarded(sent=0, waiting=self.waiting(), configured=False)
        query = (
            select(table.c.id, table.c.event)
            .where(table.c.forwarded.is_(None))
            .order_by(table.c.attempts, table.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            batch = [(int(number), json.loads(event)) for number, event in connection.execute(query)]
        delivery = deliver(transport, batch, seconds)
        self._record(delivery.sent, delivery.failed)
        return Forwarded(sent=len(delivery.sent), waiting=self.waiting(), error=delivery.error)

    def _record(self, sent: tuple[int, ...], failed: int | None) -> None:
        if not sent and failed is None:
            return
        with self._database.transaction() as connection:
            if sent:
                connection.execute(
                    update(table)
                    .where(table.c.id.in_(sent))
                    .values(forwarded=event_time(datetime.now(UTC)), attempts=table.c.attempts + 1)
                )
            if failed is not None:
                connection.execute(update(table).where(table.c.id == failed).values(attempts=table.c.attempts + 1))
