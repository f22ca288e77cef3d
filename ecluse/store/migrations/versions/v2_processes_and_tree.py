"""Leases say which process works under them; the log's Merkle tree is stored, so that proofs cost a few reads."""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision, down_revision = "2", "1"


def upgrade() -> None:
    """Add the process to leases (those of before name none), and the tree over the facts that are there."""
    for column in (sa.Column("place", sa.Text), sa.Column("pid", sa.Integer), sa.Column("started", sa.BigInteger)):
        op.add_column("ecluse_leases", column)
    subtrees = op.create_table(
        "ecluse_subtrees",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    peaks: list[bytes] = []
    rows: list[dict[str, object]] = []
    leaves = op.get_bind().execute(sa.text("SELECT leaf FROM ecluse_facts ORDER BY position")).scalars()
    for size, leaf in enumerate(leaves, 1):
        found, level = bytes.fromhex(leaf), 0
        while (size >> level) & 1 == 0:
            level += 1
            found = sha256(b"\x01" + peaks.pop() + found).digest()
            rows.append({"size": size, "level": level, "hash": found.hex()})
        peaks.append(found)
    if rows:
        op.bulk_insert(subtrees, rows)
