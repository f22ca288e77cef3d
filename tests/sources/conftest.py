from collections.abc import Iterator

import pytest

from ecluse.engine import Engine
from ecluse.model.contract import Column, Contract


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened


@pytest.fixture
def flights() -> Contract:
    """A small contract with a whole number, a text, a fraction and a day."""
    columns = (Column("flight", "BIGINT"), Column("tail", "VARCHAR"), Column("delay", "DOUBLE"), Column("day", "DATE"))
    return Contract(columns=columns, owner="tests", licence="CC0-1.0")
