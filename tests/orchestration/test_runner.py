"""Which partition a run is asked for, and what is said where it can't be that one."""

from __future__ import annotations

import dagster as dg
import pytest

from ecluse.errors import DefinitionError
from ecluse.orchestration.runner import check_partition

DAYS = dg.DailyPartitionsDefinition("2024-01-01", "2025-01-01")
MONTHS = dg.StaticPartitionsDefinition(["2024-01", "2024-02"])


def definitions(partitions):
    @dg.asset(partitions_def=partitions)
    def orders(): ...

    return dg.Definitions([orders]), [orders.key]


@pytest.mark.parametrize("partition", [None, "2024-03", "all"])
def test_the_partitions_that_there_are_are_listed(partition):
    with pytest.raises(DefinitionError) as refused:
        check_partition(*definitions(MONTHS), partition)
    assert "2024-01, 2024-02." in refused.value.part("allowed")


def test_of_many_partitions_the_first_and_the_last_are_named():
    with pytest.raises(DefinitionError) as refused:
        check_partition(*definitions(DAYS), None)
    assert "2024-01-03, …, 2024-12-29" in refused.value.part("allowed")


def test_a_partition_of_what_has_none_is_refused():
    with pytest.raises(DefinitionError) as refused:
        check_partition(*definitions(None), "2024-01")
    assert refused.value.key == "orchestration.not_partitioned"


@pytest.mark.parametrize(("partitions", "partition"), [(MONTHS, "2024-02"), (None, None)])
def test_what_there_is_passes(partitions, partition):
    check_partition(*definitions(partitions), partition)
