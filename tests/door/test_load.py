from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pytest

from ecluse.access import load_pseudonym_key, pseudonym
from ecluse.door import load
from ecluse.errors import DefinitionError, EcluseError, IntegrityError, LedgerError, Refused
from ecluse.lineage import EventStore
from ecluse.store import Database
from ecluse.warehouse import folder
from tests.door.conftest import LISTED, PRODUCT, ROWS, make

SECOND = "products.visits"


def refusal(**asked):
    with pytest.raises(Refused) as caught:
        load(**{"names": PRODUCT, "purpose": "care"} | asked)
    return caught.value


def keys(refused):
    return [reason.key for reason in refused.verdict.reasons]


def test_gives_what_was_granted_and_nothing_else(kept):
    found = load(PRODUCT, purpose="care")
    key = load_pseudonym_key(kept.project)
    assert found.columns == {"id": "clear", "age": "clear", "email": "pseudonym"}
    assert found.arrow().to_pylist() == [
        {"id": 9007199254740993, "age": 30, "email": pseudonym("x@example.org", key, "care")},
        {"id": 2, "age": None, "email": None},
        {"id": 3, "age": 52, "email": pseudonym("z@example.org", key, "care")},
    ]


def test_what_was_opened_is_shown_in_a_line_without_its_files(kept):
    shown = repr(load(PRODUCT, purpose="care"))
    assert shown.startswith(f"Loaded({PRODUCT!r}, version='1.0.0', purpose='care'")
    assert "'email': 'pseudonym'" in shown
    assert (".parquet" in shown, len(shown) < 250) == (False, True)


def test_every_form_holds_the_same_rows(kept):
    found = load(PRODUCT, purpose="care")
    expected = found.arrow().to_pylist()
    assert found.batches().read_all().to_pylist() == expected
    assert found.polars().to_dicts() == expected
    assert isinstance(found.polars(), pl.DataFrame)
    frame = found.pandas()
    assert frame["id"].tolist() == [9007199254740993, 2, 3]
    assert frame["age"].dtype == pd.Int32Dtype()
    assert found.relation().to_arrow_table().to_pylist() == expected
    assert load(PRODUCT, purpose="care").relation().aggregate("count(*)").fetchall() == [(3,)]


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_form_whose_package_is_missing_says_what_to_install(kept, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DefinitionError, match=rf"ecluse\[{package}\]"):
        getattr(load(PRODUCT, purpose="care"), package)()


def test_a_stream_of_batches_may_be_left_half_way(kept):
    reader = load(PRODUCT, purpose="care").batches()
    assert reader.read_next_batch().num_rows == 3
    del reader


def test_the_newest_release_is_the_latest_even_if_it_is_refused(released):
    released.release(released.publish(rows=f"{ROWS} LIMIT 1"), version="2.0.0", approve=False)
    refused = refusal()
    assert keys(refused) == ["approval_missing", "approval_other_release"]
    assert "2.0.0" in str(refused)
    assert load(PRODUCT, purpose="care", version="1.0.0").arrow().num_rows == 3
    assert refusal(version="latest").verdict == refused.verdict


def test_the_patch_of_an_older_version_is_for_those_who_name_it(released):
    released.release(released.publish(rows=f"{ROWS} LIMIT 1"), version="2.0.0")
    released.release(released.publish(rows=f"{ROWS} LIMIT 2"), version="1.0.1")
    assert load(PRODUCT, purpose="care").version == "2.0.0"
    assert load(PRODUCT, purpose="care", version="latest").arrow().num_rows == 1
    assert load(PRODUCT, purpose="care", version="1.0.1").arrow().num_rows == 2


def test_an_older_release_stays_readable_after_a_newer_one(released):
    released.release(released.publish(rows=f"{ROWS} LIMIT 1"), version="2.0.0")
    assert load(PRODUCT, purpose="care").arrow().num_rows == 1
    assert load(PRODUCT, purpose="care", version="1.0.0").arrow().num_rows == 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"purpose": "advertising"}, ["purpose_prohibited"]),
        ({"purpose": "spying"}, ["purpose_unknown", "reader_without_grant"]),
        ({"version": "9.9.9"}, ["release_missing"]),
        ({"names": "products.nothing"}, ["release_none"]),
        ({"phase": "business"}, ["phase_ahead"]),
        ({"phase": "holiday"}, ["gate_unknown"]),
    ],
)
def test_refuses_with_every_reason(kept, asked, expected):
    refused = refusal(**asked)
    assert keys(refused) == expected
    assert all(reason.text() in str(refused) for reason in refused.verdict.reasons)


def test_a_check_that_breaks_on_published_data_closes_the_door_again(released):
    table = released.manifest.products[0]
    released.check(table, "broken")
    assert keys(refusal()) == ["unmet_checks_broken", "check_broken"]
    released.check(table)
    assert load(PRODUCT, purpose="care").verdict.opens


def test_a_withdrawal_closes_the_door(released):
    released.decide(released.manifest, verdict="withdrawn", reason="wrong ward")
    assert "wrong ward" in str(refusal())


def test_a_tightened_gate_closes_the_door(released):
    released.charter("question: data-valid, role: data-steward", "question: data-valid, role: data-steward, count: 2")
    assert "approval_old_gate" in keys(refusal())


def test_an_altered_file_is_never_read(released):
    assert load(PRODUCT, purpose="care")
    path = released.warehouse.path(released.manifest.products[0].files[0])
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="altered after its release"):
        load(PRODUCT, purpose="care")


def test_a_missing_file_is_named(released):
    released.warehouse.path(released.manifest.products[0].files[0]).unlink()
    with pytest.raises(IntegrityError, match="is gone"):
        load(PRODUCT, purpose="care")


def test_an_altered_log_is_never_believed(released):
    with released.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE ecluse_facts SET envelope = replace(envelope, 'a', 'b') WHERE position = 0")
    with pytest.raises(IntegrityError):
        load(PRODUCT, purpose="care")


def test_a_catalog_that_names_other_files_is_never_believed(released):
    other = released.publish(SECOND)
    table = released.manifest.products[0]
    forged = type(table)(PRODUCT, table.table_uuid, table.snapshot_id, other.files, "c1", "s1")
    released.check(forged)
    released.release(forged, version="1.1.0")
    with pytest.raises(IntegrityError, match="names other files"):
        load(PRODUCT, purpose="care")


def test_several_datasets_come_from_one_release(released):
    both = (released.publish(PRODUCT), released.publish(SECOND))
    released.release(both[1], version="2.0.0")
    released.release(*both, version="1.5.0")
    found = load([PRODUCT, SECOND], purpose="care")
    assert list(found) == [PRODUCT, SECOND]
    assert {one.version for one in found.values()} == {"1.5.0"}
    assert keys(refusal(names=[PRODUCT, "products.nothing"])) == ["release_apart", "release_none"]


def test_no_name_at_all_is_a_mistake(kept):
    with pytest.raises(DefinitionError, match="No dataset"):
        load([], purpose="care")


# -- columns and grants -------------------------------------------------------------------------------------------


def test_a_column_found_to_be_personal_later_is_personal_in_the_release_too(released):
    stricter = [{**c, "classification": "sensitive"} if c["name"] == "id" else c for c in LISTED]
    released.publish(listed=stricter, contract="c2")
    looser = [{**c, "classification": "public"} for c in LISTED]
    released.publish(listed=looser, contract="c3")
    assert list(load(PRODUCT, purpose="care").columns) == ["age", "email"]


def test_a_release_without_a_contract_in_the_log_is_not_opened(clinic):
    clinic.release(type(table := clinic.publish())(**{**vars(table), "contract_digest": "lost"}))
    with pytest.raises(EcluseError, match="which columns"):
        load(PRODUCT, purpose="care")


def test_a_grant_that_shows_no_column_is_a_refusal(released):
    released.charter("{public: clear, internal: clear, personal: pseudonym}", "{public: drop}")
    assert keys(refusal()) == ["grant_without_columns"]


def test_a_role_without_its_training_shows_nothing_beside_another_role(released):
    released.charter("[{name: model-builder, since", "[{name: nurse, since: 2020-01-01}, {name: model-builder, since")
    released.charter(
        "grants:\n",
        "trainings: [{id: ethics, description: half a day, roles: [nurse]}]\ngrants:\n"
        "  - {role: nurse, datasets: [products.patients], purposes: [care], columns: {sensitive: clear, personal: clear}}\n",
    )
    shown = load(PRODUCT, purpose="care").columns
    assert (shown["email"], "illness" in shown) == ("pseudonym", False)


def test_a_row_filter_leaves_rows_out(released):
    released.charter("columns: {public", 'row_filter: "age > 40"\n    columns: {public')
    assert load(PRODUCT, purpose="care").arrow()["id"].to_pylist() == [3]


@pytest.mark.parametrize("wrong", ["ages > 40", "count(*) > 1", "age >", "1) OR (1", "age > (SELECT 40)"])
def test_a_row_filter_that_is_no_condition_is_named(released, wrong):
    released.charter("columns: {public", f'row_filter: "{wrong}"\n    columns: {{public')
    with pytest.raises(DefinitionError, match="row_filter") as caught:
        load(PRODUCT, purpose="care")
    assert "\\x" not in str(caught.value)


# -- who reads ----------------------------------------------------------------------------------------------------


def test_a_demo_reader_is_stamped_unauthenticated(kept):
    found = load(PRODUCT, purpose="care")
    assert found.reader.party == "model"
    assert not found.reader.authenticated
    assert [w.key for w in found.verdict.warnings] == ["reader_unauthenticated"]


def test_a_named_reader_is_the_one_who_is_judged(kept, monkeypatch):
    monkeypatch.setenv("ECLUSE_READER", "guest")
    assert keys(refusal()) == ["reader_without_grant"]


def test_a_reader_without_a_key_is_told_so(kept, monkeypatch):
    monkeypatch.setenv("ECLUSE_READER", "nobody")
    with pytest.raises(LedgerError):
        load(PRODUCT, purpose="care")


@pytest.fixture
def prod(tmp_path, monkeypatch):
    monkeypatch.setenv("ECLUSE_PROFILE", "prod")
    monkeypatch.delenv("ECLUSE_READER", raising=False)
    made = make(tmp_path / "prod", "prod", readers=("pipeline", "ana", "model"))
    made.release(made.publish())
    monkeypatch.chdir(made.root)
    yield made
    made.database.close()


def drop_keys(clinic, *parties):
    for path in clinic.project.keys.iterdir():
        if path.name.split(".")[0] in parties:
            path.unlink()


def test_outside_a_demo_the_readers_key_says_who_reads(prod):
    with pytest.raises(DefinitionError, match="Several readers"):
        load(PRODUCT, purpose="care")
    drop_keys(prod, "pipeline", "ana")
    prod.charter("personal: pseudonym", "personal: clear")
    found = load(PRODUCT, purpose="care")
    assert (found.reader.party, found.reader.authenticated) == ("model", True)
    assert found.verdict.warnings == ()


def test_outside_a_demo_a_missing_pseudonym_key_is_an_error(prod, monkeypatch):
    monkeypatch.setenv("ECLUSE_READER", "model")
    with pytest.raises(DefinitionError, match="pseudonym"):
        load(PRODUCT, purpose="care")


def test_somebody_without_any_key_is_refused(prod):
    drop_keys(prod, "pipeline", "ana", "model")
    refused = refusal()
    assert keys(refused) == ["reader_unknown"]
    assert prod.reads() == []


# -- the record ---------------------------------------------------------------------------------------------------


def test_a_read_is_recorded(released):
    load(PRODUCT, purpose="care")
    (read,) = released.reads()
    assert read == {
        "datasets": [PRODUCT],
        "version": "1.0.0",
        "purpose": "care",
        "phase": "proof",
        "reader": "model",
        "authenticated": False,
        "released": True,
        "opens": True,
        "reasons": [],
        "columns": {f"{PRODUCT}.id": "clear", f"{PRODUCT}.age": "clear", f"{PRODUCT}.email": "pseudonym"},
    }
    database = Database(released.project.reads_url)
    events = list(EventStore(database).events())
    database.close()
    assert [(e["job"]["name"].split(".")[0], e["eventType"]) for e in events] == [
        ("gate", "START"),
        ("gate", "COMPLETE"),
        ("read", "START"),
        ("read", "COMPLETE"),
    ]
    assert all(e["inputs"][0]["name"] == PRODUCT for e in events)
    assert all(e["outputs"] == [] for e in events)


def test_nobody_waits_while_a_reader_signs(released, signing):
    load(PRODUCT, purpose="care")
    signed = signing(Database(released.project.reads_url).file)
    load(PRODUCT, purpose="care")
    assert signed == ["model"]


def test_a_refused_read_is_recorded_with_its_reasons(released):
    refusal(purpose="advertising")
    refusal(names="products.nothing")
    first, second = released.reads()
    assert (first["opens"], first["reasons"], first["columns"]) == (False, ["purpose_prohibited"], {})
    assert (second["version"], second["reasons"]) == (None, ["release_none"])


def test_a_reader_writes_nothing_but_its_own_log(released):
    load(PRODUCT, purpose="care")
    released.database.close()
    before = released.snapshot()
    load(PRODUCT, purpose="care").arrow()
    assert released.snapshot() == before


def test_a_refusal_that_cannot_be_recorded_is_still_a_refusal(released):
    released.project.state.joinpath("reads.db").mkdir()
    refused = refusal(purpose="advertising")
    assert keys(refused) == ["purpose_prohibited"]
    assert refused.__notes__
    with pytest.raises(EcluseError):
        load(PRODUCT, purpose="care")


@pytest.fixture
def settled(released, monkeypatch):
    """A released file whose last change is long ago, as far as the cache of hashes can tell."""
    monkeypatch.setattr(folder, "_SETTLED", 0)
    return released.warehouse.path(released.manifest.products[0].files[0])


def test_files_are_hashed_once_in_a_process(settled, monkeypatch):
    load(PRODUCT, purpose="care")
    monkeypatch.setattr("hashlib.file_digest", None)
    assert load(PRODUCT, purpose="care")
    os.utime(settled, ns=(1, int(datetime.now(UTC).timestamp())))
    with pytest.raises(TypeError):
        load(PRODUCT, purpose="care")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_altered_behind_its_old_size_and_time_is_found(settled, replaced):
    load(PRODUCT, purpose="care")
    before, content = settled.stat(), bytearray(settled.read_bytes())
    content[4] ^= 1
    if replaced:
        settled.unlink()
    settled.write_bytes(content)
    os.utime(settled, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(IntegrityError, match="altered"):
        load(PRODUCT, purpose="care")


def test_a_file_that_just_changed_is_hashed_every_time(released, monkeypatch):
    load(PRODUCT, purpose="care")
    monkeypatch.setattr("hashlib.file_digest", None)
    with pytest.raises(TypeError):
        load(PRODUCT, purpose="care")
