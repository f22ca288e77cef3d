"""Nothing is visible before the one transaction that moves everything."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from ecluse.errors import Conflict, WarehouseError
from ecluse.model.release import content_digest
from ecluse.store.schema import data_files, meta

P = [(1, "n1"), (2, "n2")]


def rows_sql(*ids, name="n"):
    return " UNION ALL ".join(f"SELECT {i}::BIGINT AS id, '{name}{i}' AS name" for i in ids)


def test_a_table_is_empty_and_unpublished_until_its_first_publication(house):
    candidate = house.staged(rows_sql(1, 2))
    assert house.warehouse.exists("clean.t")
    assert house.warehouse.head("clean.t") is None
    assert house.rows(snapshot=candidate.base) == []
    assert house.rows(snapshot=candidate.snapshot_id) == P
    house.publish(candidate)
    assert house.warehouse.head("clean.t") == candidate.snapshot_id
    assert house.rows() == P


def test_an_unknown_dataset_does_not_exist(house):
    assert not house.warehouse.exists("clean.t")
    assert house.warehouse.head("clean.t") is None
    with pytest.raises(WarehouseError) as caught:
        house.warehouse.table_uuid("clean.t")
    assert caught.value.key == "warehouse.no_table"


def test_published_files_carry_hash_rows_and_partition(house):
    candidate = house.staged(rows_sql(1, 2), partition="2013-01")
    house.publish(candidate)
    (file,) = house.warehouse.files("clean.t", candidate.snapshot_id)
    assert (file,) == candidate.files
    path = house.warehouse.path(file)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (file.rows, file.bytes, file.partition) == (2, path.stat().st_size, "2013-01")
    with house.database.reading() as connection:
        assert connection.execute(select(data_files.c.path, data_files.c.sha256)).all() == [(file.path, file.sha256)]


def test_publication_ends_branch_and_lease(house):
    house.published(rows_sql(1))
    assert house.warehouse.candidates() == []
    assert house.warehouse.clean_expired() == []


def test_replace_takes_the_place_of_its_own_partition_only(house):
    house.published(rows_sql(1), partition="a")
    house.published(rows_sql(2), partition="b")
    second = house.staged(rows_sql(3), partition="a")
    assert [f.partition for f in second.removed] == ["a"]
    house.publish(second)
    assert house.rows() == [(2, "n2"), (3, "n3")]
    assert house.rows(partitions=["a"]) == [(3, "n3")]
    assert house.rows(partitions=[]) == []


def test_append_adds_to_what_is_there(house):
    house.published(rows_sql(1), "append")
    second = house.staged(rows_sql(2), "append")
    assert second.removed == ()
    house.publish(second)
    assert house.rows() == P


def test_an_empty_result_empties_its_partition_and_adds_no_file(house):
    house.published(rows_sql(1), partition="a")
    house.published(rows_sql(2), partition="b")
    empty = house.staged(f"SELECT * FROM ({rows_sql(9)}) WHERE false", partition="a")
    assert empty.files == ()
    house.publish(empty)
    assert house.rows() == [(2, "n2")]
    assert house.engine.describe(
        f"SELECT * FROM {house.warehouse.scan('clean.t', house.warehouse.head('clean.t'), ['a'])}"
    ) == {
        "id": "BIGINT",
        "name": "VARCHAR",
    }


def test_writing_again_replaces_what_the_candidate_held(house):
    house.published(rows_sql(7), partition="a")
    first = house.staged(rows_sql(1, 2), partition="a")
    second = house.warehouse.write(house.engine, first, rows_sql(2), "replace")
    assert house.rows(snapshot=second.snapshot_id) == [(2, "n2")]
    assert second.removed == first.removed
    assert not house.warehouse.path(first.files[0]).exists()
    house.publish(second)
    assert house.rows() == [(2, "n2")]
    with pytest.raises(WarehouseError) as caught:
        house.rows(snapshot=first.snapshot_id)
    assert caught.value.key == "warehouse.no_snapshot"


def test_a_candidates_own_rows_can_be_read_alone(house):
    house.published(rows_sql(1), "append")
    candidate = house.staged(rows_sql(2), "append")
    assert house.engine.rows(f"SELECT * FROM {house.warehouse.scan_files(candidate)}") == [(2, "n2")]
    assert house.rows(snapshot=candidate.snapshot_id) == P
    house.warehouse.discard(candidate)
    begun = house.begin()
    assert house.engine.rows(f"SELECT * FROM {house.warehouse.scan_files(begun)}") == []


def test_all_tables_move_in_one_transaction_or_none(house):
    house.published(rows_sql(1))
    one, two = house.staged(rows_sql(2)), house.staged(rows_sql(3), dataset="clean.t__quarantine")
    before = house.warehouse.head("clean.t")
    prepared = house.warehouse.prepare([one, two])

    def publish(then):
        with house.database.transaction() as connection:
            prepared.apply(connection)
            connection.execute(insert(meta).values(key="fact", value="signed"))
            if then is not None:
                raise then

    with pytest.raises(RuntimeError):
        publish(RuntimeError())
    assert house.warehouse.head("clean.t") == before
    assert house.warehouse.head("clean.t__quarantine") is None
    publish(None)
    assert house.rows() == [(2, "n2")]
    assert house.rows("clean.t__quarantine") == [(3, "n3")]


def test_a_conflict_on_one_table_leaves_the_other_where_it_was(house):
    house.published(rows_sql(1))
    one, two = house.staged(rows_sql(2), partition="a"), house.staged(rows_sql(3), dataset="clean.u")
    prepared = house.warehouse.prepare([one, two])
    house.published(rows_sql(9), partition="b")
    with pytest.raises(Conflict) as caught, house.database.transaction() as connection:
        prepared.apply(connection)
    assert caught.value.key == "warehouse.moved"
    assert house.warehouse.head("clean.u") is None


def test_work_begun_on_another_partition_after_prepare_does_not_disturb(house):
    candidate = house.staged(rows_sql(1), partition="a")
    prepared = house.warehouse.prepare([candidate], {"clean.t": "v1"})
    other = house.staged(rows_sql(2), partition="b")
    with house.database.transaction() as connection:
        prepared.apply(connection)
    assert house.rows() == [(1, "n1")]
    assert house.warehouse.tags("clean.t") == {"v1": candidate.snapshot_id}
    house.publish(house.warehouse.rebase(other))
    assert house.rows() == P


def test_rebase_keeps_the_data_files_and_reads_what_others_published(house):
    house.published(rows_sql(8), partition="a")
    candidate = house.staged(rows_sql(1), partition="a")
    house.published(rows_sql(2), partition="b")
    with pytest.raises(Conflict) as caught:
        house.warehouse.prepare([candidate])
    assert caught.value.key == "warehouse.moved"
    moved = house.warehouse.rebase(candidate)
    assert moved.files == candidate.files
    assert moved.base == house.warehouse.head("clean.t")
    house.publish(moved)
    assert house.rows() == P


def test_rebase_of_what_nobody_moved_changes_nothing(house):
    candidate = house.staged(rows_sql(1))
    assert house.warehouse.rebase(candidate) == candidate


def test_rebase_refuses_when_its_own_partition_changed(make_house):
    from datetime import timedelta

    house = make_house(lease=timedelta(0))
    late = house.staged(rows_sql(1), partition="a")
    house.published(rows_sql(2), partition="a")
    with pytest.raises(Conflict) as caught:
        house.warehouse.rebase(late)
    assert caught.value.key == "warehouse.partition_moved"
    assert house.rows() == [(2, "n2")]


def test_an_append_follows_other_appends(make_house):
    from datetime import timedelta

    house = make_house(lease=timedelta(0))
    late = house.staged(rows_sql(1), "append")
    house.published(rows_sql(2), "append")
    house.publish(house.warehouse.rebase(late))
    assert house.rows() == P


def test_the_summary_of_a_snapshot_counts_what_changed(house):
    house.published(rows_sql(1, 2), partition="a")
    house.published(rows_sql(3), partition="a")
    summary = house.warehouse._open("clean.t").current_snapshot().summary
    assert (summary["added-records"], summary["deleted-records"], summary["total-records"]) == ("1", "2", "1")


def test_manifests_without_files_are_not_carried_along(house):
    for i in range(4):
        house.published(rows_sql(i), partition="a")
    table = house.warehouse._open("clean.t")
    assert len(table.current_snapshot().manifests(table.io)) == 2


def test_old_metadata_files_are_deleted_and_every_snapshot_stays_readable(house, monkeypatch):
    monkeypatch.setattr("ecluse.warehouse.catalog._KEPT", 4)
    monkeypatch.setattr("ecluse.warehouse.catalog._PROPERTIES", {"write.metadata.previous-versions-max": "4"})
    snapshots = [house.published(rows_sql(i)) for i in range(6)]
    house.begin()
    assert len(list(house.warehouse.root.rglob("*.metadata.json"))) == 5
    assert [house.rows(snapshot=s) for s in snapshots] == [[(i, f"n{i}")] for i in range(6)]


def test_tags_never_move(house):
    one = house.published(rows_sql(1))
    house.warehouse.tag("clean.t", "v1", one)
    house.warehouse.tag("clean.t", "v1", one)
    candidate = house.staged(rows_sql(2))
    with pytest.raises(Conflict) as caught:
        house.publish(candidate, tags={"clean.t": "v1"})
    assert caught.value.key == "warehouse.tag"
    assert house.warehouse.head("clean.t") == one
    house.publish(candidate, tags={"clean.t": "v2"})
    assert house.warehouse.tags("clean.t") == {"v1": one, "v2": candidate.snapshot_id}


def test_a_tag_joins_the_transaction_that_published(house):
    candidate = house.staged(rows_sql(1))
    prepared = house.warehouse.prepare([candidate])
    with house.database.transaction() as connection:
        prepared.apply(connection)
        house.warehouse.tag("clean.t", "v1", candidate.snapshot_id, connection)
    assert house.warehouse.tags("clean.t") == {"v1": candidate.snapshot_id}


def test_a_tag_needs_a_snapshot_that_exists(house):
    house.published(rows_sql(1))
    with pytest.raises(WarehouseError) as caught:
        house.warehouse.tag("clean.t", "v1", 42)
    assert caught.value.key == "warehouse.no_snapshot"


def test_rollback_shows_an_earlier_snapshot_and_keeps_the_later_one_readable(house):
    one, two = house.published(rows_sql(1)), house.published(rows_sql(2))
    house.warehouse.rollback("clean.t", one)
    assert house.warehouse.head("clean.t") == one
    assert house.rows() == [(1, "n1")]
    assert house.rows(snapshot=two) == [(2, "n2")]


def test_a_rollback_says_where_main_stood_and_can_go_forward_again(house):
    one, two = house.published(rows_sql(1)), house.published(rows_sql(2))
    assert house.warehouse.rollback("clean.t", one) == two
    assert house.published(rows_sql(3)) == house.warehouse.head("clean.t")
    house.warehouse.rollback("clean.t", two)
    assert house.rows() == [(2, "n2")]
    assert house.warehouse.history("clean.t") == (two, one)


def test_a_rollback_to_before_the_first_publication_leaves_nothing_published(house):
    one = house.published(rows_sql(1))
    assert house.warehouse.rollback("clean.t", None) == one
    assert house.warehouse.head("clean.t") is None
    assert house.warehouse.rollback("clean.t", one) is None
    assert house.rows() == [(1, "n1")]


def test_what_was_never_published_can_not_be_rolled_back_to(house):
    one, candidate = house.published(rows_sql(1)), house.staged(rows_sql(2))
    for snapshot in (candidate.snapshot_id, 42):
        with pytest.raises(WarehouseError) as caught:
            house.warehouse.rollback("clean.t", snapshot)
        assert caught.value.key == "warehouse.not_published"
    assert house.warehouse.head("clean.t") == one


def test_history_lists_publications_newest_first(house):
    ids = [house.published(rows_sql(i)) for i in range(3)]
    assert house.warehouse.history("clean.t") == tuple(reversed(ids))


def test_the_same_content_has_the_same_digest(house):
    one = house.published(rows_sql(1, 2))
    two = house.published(rows_sql(1, 2))
    digests = {content_digest(house.warehouse.files("clean.t", s)) for s in (one, two)}
    assert one != two
    assert len(digests) == 1


def test_the_table_keeps_its_identity(house):
    house.published(rows_sql(1))
    before = house.warehouse.table_uuid("clean.t")
    house.published(rows_sql(2))
    assert house.warehouse.table_uuid("clean.t") == before


def test_one_dataset_is_published_once_at_a_time(house):
    one, two = house.staged(rows_sql(1), partition="a"), house.staged(rows_sql(2), partition="b")
    with pytest.raises(ValueError, match="one candidate of a dataset"):
        house.warehouse.prepare([one, two])
    with pytest.raises(ValueError, match="nothing was written"):
        house.warehouse.prepare([house.begin(partition="c")])


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("replace"), st.sampled_from("abc"), st.integers(0, 2)),
        st.tuples(st.just("append"), st.sampled_from("abc"), st.integers(0, 2)),
        st.tuples(st.just("discard"), st.sampled_from("abc"), st.integers(0, 2)),
        st.tuples(st.just("rollback"), st.just(""), st.just(0)),
    ),
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS)
def test_any_sequence_of_publications_gives_what_a_list_would(house, operations):
    dataset = f"made.t{next(house.runs)}"
    past, numbers = [[]], iter(range(1000))
    for kind, partition, count in operations:
        if kind == "rollback":
            history = house.warehouse.history(dataset) if house.warehouse.exists(dataset) else ()
            if len(history) > 1:
                house.warehouse.rollback(dataset, history[1])
                past.pop()
            continue
        ids = [next(numbers) for _ in range(count)]
        sql = rows_sql(*ids) if ids else "SELECT 1::BIGINT AS id, 'x' AS name WHERE false"
        update = "append" if kind == "append" else "replace"
        candidate = house.staged(sql, update, dataset=dataset, partition=partition)
        if kind == "discard":
            house.warehouse.discard(candidate)
            continue
        house.publish(candidate)
        kept = [row for row in past[-1] if kind == "append" or row[0] != partition]
        past.append([*kept, *((partition, i) for i in ids)])
    found = house.rows(dataset) if len(past) > 1 else []
    assert [i for i, _ in found] == sorted(i for _, i in past[-1])
    assert house.warehouse.candidates() == []
