"""A long log is verified by several processes, and says the same as one process would."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from ecluse.errors import IntegrityError
from ecluse.ledger import audit, sign
from ecluse.store.schema import facts


@pytest.fixture
def long(log, fact, service, monkeypatch):
    """A log of several chunks."""
    monkeypatch.setattr(audit, "_CHUNK", 4)
    with log.database.transaction() as connection:
        log.append(connection, [sign(fact(n=n), service) for n in range(14)])
    return log


def test_a_log_of_several_chunks_has_the_state_of_its_tree(long):
    state = long.verify()
    assert (state.size, state.root) == (14, long.root())


def test_the_first_wrong_fact_is_named_whatever_its_chunk(long):
    with long.database.transaction() as connection:
        for position in (9, 13):
            connection.execute(update(facts).where(facts.c.position == position).values(leaf="0" * 64))
    with pytest.raises(IntegrityError) as caught:
        long.verify()
    assert caught.value.fields["position"] == 9
