"""A check costs what changed: files of a published table that were measured before aren't measured again."""

import great_expectations.expectations as gxe
import pytest

from ecluse.step import measured
from ecluse.step.recheck import check_published
from tests.step.updates import Dataset

COLUMNS = {"id": "BIGINT", "name": "VARCHAR"}
MERGED, WHOLE = "ecluse (merged)", "ecluse"


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(measured, "LEAST_ROWS", 0)


def asked(services, step):
    report = check_published(services, step)
    return {check.name: (check.outcome, check.unexpected_count, check.executed_by) for check in report.checks}


def test_an_append_is_checked_with_what_is_known_of_the_other_files(tmp_path, small):
    table = {"ecluse": {"scope": "table"}}
    data = Dataset(
        tmp_path / "shop",
        COLUMNS,
        key=["id"],
        expectations=[
            gxe.ExpectColumnMaxToBeBetween(column="id", max_value=100, meta=table),
            gxe.ExpectColumnValuesToNotBeNull(column="name", mostly=0.5),
        ],
        update="append",
    )
    data.give([(1, "a"), (2, None), (3, "c"), (4, "d"), (5, "e"), (6, "f"), (7, "g"), (8, "h")])
    first = data.give([(9, "z")])
    found = {check.name: check.executed_by for check in first.checks}
    assert found["column_max_to_be_between__id"] == MERGED
    published = asked(data.services, data.step)
    assert published["column_values_to_not_be_null__name"] == ("held", 1, MERGED)
    key = next(name for name in published if "unique" in name)
    assert published[key] == ("held", 0, MERGED)
    again = data.give([(9, "twice")])
    assert {check.name: check.outcome for check in again.checks}[key] == "broken"
    assert {check.name: check.executed_by for check in again.checks}[key] == WHOLE
