"""What somebody does who can write the log's database and holds no key."""

from __future__ import annotations

from sqlalchemy import insert

from ecluse.ledger import canonical
from ecluse.ledger.envelope import open_envelope
from ecluse.ledger.examine import stated
from ecluse.ledger.merkle import leaf_hash
from ecluse.ledger.tree import grow
from ecluse.store.schema import facts, subjects


def stand_behind(log, envelope):
    """Put an envelope behind the last one as the log itself would, index and tree included; returns its position."""
    text, position = canonical(envelope), log.size
    found = stated(open_envelope(envelope, envelope["payloadType"]))
    leaf = leaf_hash(text)
    about = [{"position": position, "name": name, "sha256": sha256} for name, sha256 in found.named]
    with log.database.transaction() as connection:
        values = {"position": position, "leaf": leaf.hex(), "kind": found.kind, "envelope": text.decode()}
        connection.execute(insert(facts).values(**values))
        if about:
            connection.execute(insert(subjects), about)
        grow(connection, position, [leaf])
    return position


def signed_falsely(envelope, other):
    """An envelope with the signature of another one by the same key."""
    return {**envelope, "signatures": other["signatures"]}
