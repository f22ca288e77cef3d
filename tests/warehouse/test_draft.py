"""A draft finishes a table's metadata as PyIceberg's own commit would, without copying all that stays the same."""

from __future__ import annotations

from pyiceberg.table.update import update_table_metadata

from ecluse.warehouse.draft import Draft

ONE = "SELECT {}::BIGINT AS id, 'x' AS name"


def test_finished_metadata_is_what_pyiceberg_makes_of_the_same_changes(house):
    for number in range(3):
        house.published(ONE.format(number), partition=f"{number}")
    draft = Draft(house.warehouse._open("clean.t"))
    first = draft.table.metadata.snapshots[1].snapshot_id
    draft.set_tag("v1", first)
    draft.set_properties({"said": "so"})
    draft.set_branch("main", first)
    theirs = update_table_metadata(
        draft.table.metadata, draft.updates, metadata_location=draft.table.metadata_location
    ).model_dump()
    ours = draft.finished().model_dump()
    assert ours["last-updated-ms"] >= draft.table.metadata.last_updated_ms
    assert ours["metadata-log"][-1]["metadata-file"] == draft.table.metadata_location
    for found in (ours, theirs):
        del found["last-updated-ms"]
        # NOTE: when main moved is read from the clock, each time that the change is carried out.
        del found["snapshot-log"][-1]["timestamp-ms"]
    assert ours == theirs
