"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "1", None

_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "ecluse_meta", sa.Column("key", sa.String(64), primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )
    op.create_table(
        "ecluse_facts",
        sa.Column("position", _POSITION, primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False, index=True),
        sa.Column("envelope", sa.Text, nullable=False),
    )
    op.create_table(
        "ecluse_subjects",
        sa.Column("position", _POSITION, sa.ForeignKey("ecluse_facts.position"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Index("ecluse_subjects_name", "name"),
        sa.Index("ecluse_subjects_sha256", "sha256"),
    )
    op.create_table(
        "ecluse_checkpoints",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
    )
    op.create_table(
        "ecluse_events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("time", sa.String(40), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(36), nullable=False, index=True),
        sa.Column("job", sa.Text, nullable=False, index=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("forwarded", sa.String(40)),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_table(
        "ecluse_leases",
        sa.Column("branch", sa.Text, primary_key=True),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires", sa.String(40), nullable=False),
    )
    op.create_table(
        "ecluse_publications",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("dataset", sa.Text, nullable=False, index=True),
        sa.Column("partition", sa.Text),
        sa.Column("snapshot_id", sa.String(20), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
    )
    op.create_table(
        "ecluse_data_files",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("partition", sa.Text),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
