"""The stored tree gives the roots and proofs of the leaves, at every size, however the log grew."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from ecluse.errors import IntegrityError
from ecluse.ledger import merkle, tree
from ecluse.store import Database
from ecluse.store.schema import facts, subtrees


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('tree') / 'ecluse.db'}")
    yield made
    made.close()


def grown(connection, batches):
    """A log that grew by so many facts at a time; its leaves."""
    connection.execute(delete(subtrees))
    connection.execute(delete(facts))
    leaves = []
    for count in batches:
        new = [merkle.leaf_hash(str(len(leaves) + n).encode()) for n in range(count)]
        rows = [
            {"position": len(leaves) + n, "leaf": leaf.hex(), "kind": "run", "envelope": "{}"}
            for n, leaf in enumerate(new)
        ]
        connection.execute(insert(facts), rows)
        tree.grow(connection, len(leaves), new)
        leaves += new
    return leaves


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(batches=st.lists(st.integers(1, 9), min_size=1, max_size=12), data=st.data())
def test_roots_of_every_path_are_those_over_the_leaves(database, batches, data):
    with database.transaction() as connection:
        leaves = grown(connection, batches)
        size = len(leaves)
        position = data.draw(st.integers(0, size - 1))
        old = data.draw(st.integers(1, size))
        parts = [(0, size), (0, old), *merkle.inclusion_path(position, size), *merkle.consistency_path(old, size)]
        assert tree.roots(connection, parts) == [merkle.root(leaves[start:end]) for start, end in parts]


def test_as_many_rows_are_kept_as_there_are_complete_subtrees(database):
    with database.transaction() as connection:
        leaves = grown(connection, [5, 8])
        kept = connection.execute(select(subtrees.c.size, subtrees.c.level)).all()
    complete = [(size, level) for size in range(1, 14) for level in range(1, 4) if size % (1 << level) == 0]
    assert kept == complete
    assert len(leaves) == 13


def test_a_tree_that_lacks_a_row_gives_no_proof(database):
    with database.transaction() as connection:
        grown(connection, [8])
        connection.execute(delete(subtrees).where(subtrees.c.level == 3))
        with pytest.raises(IntegrityError) as caught:
            tree.roots(connection, [(0, 8)])
    assert caught.value.key == "ledger.index"


def test_the_root_of_nothing_is_that_of_the_empty_tree(database):
    with database.transaction() as connection:
        assert tree.roots(connection, [(0, 0)]) == [merkle.EMPTY]
