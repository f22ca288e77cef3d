"""The tables of the project's database. A change of them is a new version, and a step in ``migrations/versions``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

VERSION = "2"

metadata = MetaData()

meta = Table(
    "ecluse_meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False)
)

#: The log: one row per fact, in order, never changed. ``leaf`` is the RFC 6962 leaf hash of the envelope's bytes.
facts = Table(
    "ecluse_facts",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("leaf", String(64), nullable=False),
    Column("kind", String(32), nullable=False, index=True),
    Column("envelope", Text, nullable=False),
)

#: An index over the log's subjects. It is derived: the envelope is what counts.
subjects = Table(
    "ecluse_subjects",
    metadata,
    Column("position", ForeignKey("ecluse_facts.position"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Index("ecluse_subjects_name", "name"),
    Index("ecluse_subjects_sha256", "sha256"),
)

#: The log's Merkle tree: the root of each complete subtree above the leaves, by the size of the log that completed it.
subtrees = Table(
    "ecluse_subtrees",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
)

#: Signed checkpoints of the log: its size and root at a moment.
checkpoints = Table(
    "ecluse_checkpoints",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("size", BigInteger, nullable=False),
    Column("envelope", Text, nullable=False),
)

#: OpenLineage events in the order of their arrival; ``forwarded`` is null while an event waits in the outbox.
events = Table(
    "ecluse_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("time", String(40), nullable=False),
    Column("type", String(16), nullable=False),
    Column("run_id", String(36), nullable=False, index=True),
    Column("job", Text, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("forwarded", String(40)),
    Column("attempts", Integer, nullable=False, default=0),
)

#: Who holds a candidate's branch, and until when unless the holder renews it. ``place``, ``pid`` and ``started`` name
#: the process that works on it; null where nobody does, or the system doesn't say.
leases = Table(
    "ecluse_leases",
    metadata,
    Column("branch", Text, primary_key=True),
    Column("dataset", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("expires", String(40), nullable=False),
    Column("place", Text),
    Column("pid", Integer),
    Column("started", BigInteger),
)

#: What was published, by idempotency key.
publications = Table(
    "ecluse_publications",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("dataset", Text, nullable=False, index=True),
    Column("partition", Text),
    Column("snapshot_id", String(20), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("at", String(40), nullable=False),
    Column("result", Text, nullable=False),
)

#: The SHA-256 of every data file that a candidate wrote, so that no release has to read files again to name them.
data_files = Table(
    "ecluse_data_files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("dataset", Text, nullable=False),
    Column("partition", Text),
    Column("sha256", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
