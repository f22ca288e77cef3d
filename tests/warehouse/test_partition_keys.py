"""A partition's key names a folder and a branch of its own, or is refused before anything is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.errors import DefinitionError
from ecluse.model.names import branch_name, partition_key
from ecluse.warehouse.layout import new_folder, partition_of

ONE, TWO = "SELECT 1::BIGINT AS id, 'n1' AS name", "SELECT 2::BIGINT AS id, 'n2' AS name"


@pytest.mark.parametrize("key", ["all", "", "eu/2024-03", "../up", "a b", "2024-03\n", ".hidden"])
def test_a_key_that_would_be_another_partition_is_refused(house, key):
    with pytest.raises(DefinitionError) as caught:
        house.begin(partition=key)
    assert caught.value.key == "model.partition_key"
    assert house.warehouse.datasets() == []


@pytest.mark.parametrize("key", ["2024-03", "eu|2024-03", "All", "all.of.it"])
def test_replacing_a_partition_leaves_none_of_its_rows(house, key):
    house.published(ONE, partition=key)
    house.published(TWO, partition=key)
    assert house.rows() == [(2, "n2")]


@given(st.text(max_size=12))
def test_what_may_be_a_key_is_found_again_in_the_path_and_in_the_branch(key):
    try:
        partition_key(key)
    except DefinitionError:
        return
    assert partition_of(f"{new_folder('t', key, 'r', 1)}/data_0000.parquet") == key
    assert branch_name("a.b", key, "r", 1).split("/") == ["a.b", key, "r", "1"]
