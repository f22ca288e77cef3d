"""The log of facts: signed envelopes in the project's database, appended in order and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from ecluse.errors import EcluseError, IntegrityError, LedgerError
from ecluse.ledger import merkle, tree
from ecluse.ledger.audit import LogState, Passed, audit, backdated
from ecluse.ledger.checkpoint import Checkpoint, open_checkpoint, seal_checkpoint
from ecluse.ledger.entry import Entry, open_entry, read_entry
from ecluse.ledger.envelope import STATEMENT_TYPE, open_as
from ecluse.ledger.examine import examine
from ecluse.ledger.export import write_entries
from ecluse.ledger.jcs import canonical, parse
from ecluse.ledger.keys import Signer
from ecluse.ledger.pages import shared_pages, stored_pages
from ecluse.ledger.proofs import Consistency, Inclusion
from ecluse.ledger.trust import Trust
from ecluse.model.facts import SignedFact
from ecluse.store import Database
from ecluse.store.schema import checkpoints, facts, subjects

#: The columns of an ``Entry``, in its order.
_ENTRY = (facts.c.position, facts.c.leaf, facts.c.envelope, facts.c.kind)


class Log:
    """The facts of one database, read through the keys that count.

    ``skipped`` gathers the positions that ``facts`` left out because no key that counts signed them, with the reason.
    """

    def __init__(self, database: Database, trust: Trust) -> None:
        self.database = database
        self.trust = trust
        self.skipped: dict[int, EcluseError] = {}

    def append(self, connection: Connection, envelopes: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
        """Append signed facts inside the caller's transaction; returns their positions, which leave no gap.

        Raises ``LedgerError`` for an envelope that is malformed, falsely signed, or signed by a key that doesn't
        count for it; a revoked key appends nothing, whatever time the fact claims.
        """
        now = datetime.now(UTC)
        examined = [examine(open_as(envelope, STATEMENT_TYPE), self.trust) for envelope in envelopes]
        for found in examined:
            doubts = [self.trust.doubt(id, None, now) for id in found.key_ids if self.trust.revoked(id)]
            for doubt in (found.doubt, *doubts):
                if doubt is not None:
                    raise doubt
        self._take_turn(connection)
        first = self._size(connection)
        leaves, rows, about = [], [], []
        for position, (envelope, found) in enumerate(zip(envelopes, examined, strict=True), first):
            stored = canonical(envelope)
            leaves.append(merkle.leaf_hash(stored))
            leaf = leaves[-1].hex()
            rows.append({"position": position, "leaf": leaf, "kind": found.stated.kind, "envelope": stored.decode()})
            about += [{"position": position, "name": name, "sha256": sha256} for name, sha256 in found.stated.named]
        for table, values in ((facts, rows), (subjects, about)):
            if values:
                connection.execute(insert(table), values)
        tree.grow(connection, first, leaves)
        return tuple(range(first, first + len(envelopes)))

    def facts(
        self,
        kind: str | None = None,
        subject_name: str | None = None,
        sha256: str | None = None,
        *,
        doubtful: bool = False,
        connection: Connection | None = None,
    ) -> Iterator[SignedFact]:
        """The facts that count, in the log's order, of a kind and about a subject where these are given.

        Facts that no key that counts signed are gathered in ``skipped`` and left out; with ``doubtful`` they are given
        too, as signed by nobody. Raises ``IntegrityError`` for an entry that was altered. ``connection`` reads within a
        transaction that has appended.
        """
        wanted = select(*_ENTRY).order_by(facts.c.position)
        if kind is not None:
            wanted = wanted.where(facts.c.kind == kind)
        if subject_name is not None or sha256 is not None:
            about = select(subjects.c.position)
            if subject_name is not None:
                about = about.where(subjects.c.name == subject_name)
            if sha256 is not None:
                about = about.where(subjects.c.sha256 == sha256)
            wanted = wanted.where(facts.c.position.in_(about))
        with nullcontext(connection) if connection is not None else self._snapshot() as reading:
            # NOTE: read to the end at once, or a reader that stops half-way would keep the connection.
            entries = [Entry(*row) for row in reading.execute(wanted)]
            ends = self._ends(reading, entries)
        for entry in entries:
            examined = read_entry(entry, self.trust)
            doubt = examined.doubt or self._late(entry.position, examined.key_ids, ends)
            if doubt is not None:
                self.skipped[entry.position] = doubt
                if not doubtful:
                    continue
            yield SignedFact(entry.position, examined.stated.fact, frozenset() if doubt else examined.key_ids)

    @property
    def size(self) -> int:
        """The number of facts."""
        with self._snapshot() as connection:
            return self._size(connection)

    def stands_at(self, connection: Connection, size: int) -> bool:
        """Whether there are just so many facts; where there are, nobody adds one until the transaction ends."""
        self._take_turn(connection)
        return self._size(connection) == size

    def root(self, size: int | None = None) -> str:
        """The Merkle root over all facts, or over the first ``size``: 64 hexadecimal digits."""
        with self._snapshot() as connection:
            known = self._size(connection)
            return tree.roots(connection, [(0, known if size is None else min(size, known))])[0].hex()

    def verify(
        self,
        *,
        against: Sequence[Checkpoint] = (),
        vouched: Checkpoint | None = None,
        passed: Passed | None = None,
        every_core: bool = False,
    ) -> LogState:
        """Verify every fact, the order, the indexes, and the checkpoints that are stored or given.

        The log must extend the checkpoints ``against``, and nothing was cut off or rewritten where it does. Before
        ``vouched`` no signature is verified again: see ``audit``, also for ``passed`` and ``every_core``.
        Raises ``IntegrityError`` naming the position.
        """
        with self._snapshot() as connection:
            known = [*self._checkpoints(connection), *against]
            pages = shared_pages(connection, self.database.url) if every_core else stored_pages(connection)
            return audit(pages, self.trust, known, vouched=vouched, passed=passed, every_core=every_core)

    def verified_facts(
        self, *, against: Sequence[Checkpoint] = (), vouched: Checkpoint | None = None
    ) -> tuple[LogState, tuple[SignedFact, ...]]:
        """Verify the log as ``verify`` does, and give its facts in order: both in one reading."""
        found: list[SignedFact] = []
        with self._snapshot() as connection:
            known = [*self._checkpoints(connection), *against]
            state = audit(stored_pages(connection), self.trust, known, vouched=vouched, facts=found)
        return state, tuple(found)

    def checkpoint(
        self,
        signer: Signer,
        at: datetime | None = None,
        *,
        passed: Passed | None = None,
        every_core: bool = False,
    ) -> dict[str, Any]:
        """Verify the log and sign its size and root. The envelope is stored, and returned to be kept elsewhere.

        ``passed`` and ``every_core`` are those of ``verify``.
        """
        state = self.verify(passed=passed, every_core=every_core)
        envelope = seal_checkpoint(Checkpoint(state.size, state.root, at or datetime.now(UTC)), signer)
        open_checkpoint(envelope, self.trust)
        with self.database.transaction() as connection:
            connection.execute(insert(checkpoints).values(size=state.size, envelope=canonical(envelope).decode()))
        return envelope

    def inclusion(self, position: int) -> Inclusion:
        """The proof that the fact at ``position`` is in the log; ``LedgerError`` where there is none."""
        with self._snapshot() as connection:
            size = self._size(connection)
            if not 0 <= position < size:
                raise LedgerError("ledger.no_position", position=position, size=size)
            path = [(position, position + 1), (0, size), *merkle.inclusion_path(position, size)]
            leaf, root, *proof = (found.hex() for found in tree.roots(connection, path))
        return Inclusion(position, size, leaf, root, tuple(proof))

    def consistency(self, old_size: int) -> Consistency:
        """The proof that the log extends its first ``old_size`` facts; ``LedgerError`` where it has fewer."""
        with self._snapshot() as connection:
            size = self._size(connection)
            if not 0 < old_size <= size:
                raise LedgerError("ledger.no_position", position=old_size, size=size)
            path = [(0, old_size), (0, size), *merkle.consistency_path(old_size, size)]
            old, root, *proof = (found.hex() for found in tree.roots(connection, path))
        return Consistency(old_size, old, size, root, tuple(proof))

    def export(self, path: Path) -> int:
        """Write every entry to ``path``, one line of JSON each, for ``verify_export``; returns their number."""
        with self._snapshot() as connection:
            return write_entries(path, _entries(connection))

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A connection that sees the log as it stands at its first statement, whatever is appended meanwhile."""
        with self.database.reading() as connection:
            if self.database.is_sqlite:
                connection.exec_driver_sql("BEGIN")
                try:
                    yield connection
                finally:
                    connection.exec_driver_sql("ROLLBACK")
            else:
                yield connection.execution_options(isolation_level="REPEATABLE READ")

    def _ends(self, connection: Connection, entries: Sequence[Entry]) -> dict[str, int]:
        """For every revoked key in ``entries``, the first position from its revocation on: after it, the key is dead.

        No signature is verified: whoever forges a time can only make a dead key die earlier.
        """
        revoked = {id: at for id in self.trust.keys if (at := self.trust.revoked(id)) is not None}
        last = max((e.position for e in entries if any(id in e.envelope for id in revoked)), default=0)
        ends: dict[str, int] = {}
        for entry in _entries(connection, before=last):
            _, stated = open_entry(entry)
            for id in [id for id, time in revoked.items() if stated.at >= time and id not in ends]:
                ends[id] = entry.position
            if len(ends) == len(revoked):
                break
        return ends

    def _late(self, position: int, key_ids: frozenset[str], ends: Mapping[str, int]) -> IntegrityError | None:
        return next(
            (backdated(position, id, self.trust) for id in sorted(key_ids) if ends.get(id, position) < position), None
        )

    def _take_turn(self, connection: Connection) -> None:
        """Make concurrent writers wait for each other, so that positions have no gap and nobody's fact is lost."""
        if not self.database.is_sqlite:
            connection.execute(text("LOCK TABLE ecluse_facts IN EXCLUSIVE MODE"))
        elif not getattr(connection.connection.dbapi_connection, "in_transaction", False):
            raise LedgerError("ledger.no_transaction")

    def _size(self, connection: Connection) -> int:
        last = connection.execute(select(func.max(facts.c.position))).scalar()
        return 0 if last is None else int(last) + 1

    def _checkpoints(self, connection: Connection) -> list[Checkpoint]:
        return [self._stored(found) for found in connection.scalars(select(checkpoints.c.envelope))]

    def _stored(self, envelope: str) -> Checkpoint:
        try:
            return open_checkpoint(parse(envelope), self.trust)
        except (LedgerError, ValueError) as error:
            why = error.part("received") if isinstance(error, LedgerError) else str(error)
            raise IntegrityError("ledger.checkpoint", why=why) from error


def _entries(connection: Connection, before: int | None = None) -> Iterator[Entry]:
    """Every entry in order, or those before a position, as a stream."""
    wanted = select(*_ENTRY).order_by(facts.c.position)
    if before is not None:
        wanted = wanted.where(facts.c.position < before)
    for row in connection.execute(wanted.execution_options(yield_per=1000)):
        yield Entry(*row)
