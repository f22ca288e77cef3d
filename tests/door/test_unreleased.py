"""The one hatch: what is published and not open is shown to who is granted it, masked, and stamped everywhere."""

from __future__ import annotations

import json

import pytest

from ecluse.access import load_pseudonym_key, pseudonym
from ecluse.door import load, verify
from ecluse.engine import Engine
from ecluse.errors import DefinitionError, IntegrityError, Refused
from tests.door.conftest import COLUMNS, LISTED, PRODUCT, ROWS, make

GRANT = "columns: {public: clear, internal: clear, personal: pseudonym}"
OPEN = "columns: {public: clear, internal: clear, personal: clear, sensitive: clear}\n    unreleased: true"


@pytest.fixture
def unreleased(clinic):
    """Published data that no release holds, under a grant that shows everything and reaches unreleased data."""
    clinic.charter(GRANT, OPEN)
    clinic.table = clinic.publish()
    return clinic


def look(**asked):
    return load(**{"names": PRODUCT, "purpose": "care", "phase": "poc"} | asked)


def refusal(**asked):
    with pytest.raises(Refused) as caught:
        look(**asked)
    assert all(reason.text(lang) for reason in caught.value.verdict.reasons for lang in ("en", "fr"))
    return [reason.key for reason in caught.value.verdict.reasons]


def test_people_are_masked_even_where_the_grant_shows_them_clearly(unreleased):
    found = look()
    key = load_pseudonym_key(unreleased.project)
    assert found.columns == {"id": "clear", "age": "clear", "email": "pseudonym", "illness": "pseudonym"}
    assert found.arrow().to_pylist()[0]["email"] == pseudonym("x@example.org", key, "care")


def test_it_is_stamped_in_the_result_the_lock_and_the_log(unreleased, tmp_path):
    path = tmp_path / "data.lock"
    found = look(lock=path)
    assert (found.released, found.version) == (False, "unreleased")
    assert "loaded_unreleased" in [warning.key for warning in found.verdict.warnings]
    lock = json.loads(path.read_text())
    assert lock["manifest"]["version"] == "unreleased"
    assert [request["phase"] for request in lock["requests"]] == ["poc"]
    (read,) = unreleased.reads()
    assert (read["released"], read["version"], read["phase"]) == (False, "unreleased", "poc")


def test_a_release_is_no_way_around_its_stamp(unreleased):
    unreleased.release(unreleased.table)
    assert load(PRODUCT, purpose="care").released
    assert not look().released


def test_a_release_that_nobody_approved_can_be_looked_at(unreleased):
    unreleased.release(unreleased.table, approve=False)
    with pytest.raises(Refused):
        load(PRODUCT, purpose="care")
    assert look().arrow().num_rows == 3


def test_a_charter_that_does_not_allow_it_refuses(clinic):
    clinic.publish()
    assert refusal() == ["unreleased_not_allowed", "reader_without_grant"]


def test_another_grant_opens_nothing_unreleased(unreleased, monkeypatch):
    monkeypatch.setenv("ECLUSE_READER", "model")
    other = "- {role: model-builder, datasets: ['products.*'], purposes: [care], columns: {public: clear}}"
    unreleased.charter("    unreleased: true", f"    unreleased: true\n    until: 2020-01-01\n  {other}")
    assert refusal() == ["grant_expired"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"purpose": "advertising"}, ["purpose_prohibited"]),
        ({"purpose": "spying"}, ["purpose_unknown", "unreleased_not_allowed", "reader_without_grant"]),
        ({"names": "products.nothing"}, ["nothing_published"]),
        ({"names": [PRODUCT, "products.nothing"]}, ["nothing_published", "nothing_published"]),
    ],
)
def test_the_purpose_and_the_reader_count_as_ever(unreleased, asked, expected):
    assert refusal(**asked) == expected


def test_a_version_of_what_has_none_is_a_mistake(unreleased):
    with pytest.raises(DefinitionError, match="no version"):
        look(version="1.0.0")
    assert look(version="latest").arrow().num_rows == 3


def test_what_was_withdrawn_stays_closed(unreleased):
    unreleased.decide(unreleased.release(unreleased.table), verdict="withdrawn", reason="wrong ward")
    assert refusal() == ["withdrawn"]


def test_an_altered_file_is_never_read(unreleased):
    path = unreleased.warehouse.path(unreleased.table.files[0])
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        look()


def test_a_file_that_nobody_published_is_refused(unreleased):
    # Somebody moves the table past the steps, without a word in the log.

    with Engine(threads=1) as engine:
        candidate = unreleased.warehouse.begin(PRODUCT, COLUMNS, partition=None, run_id="r2", attempt=1)
        candidate = unreleased.warehouse.write(engine, candidate, f"{ROWS} LIMIT 1", "replace")
    prepared = unreleased.warehouse.prepare([candidate])
    with unreleased.database.transaction() as connection:
        prepared.apply(connection)
    assert refusal() == ["files_unpublished"]


def test_a_column_in_which_personal_data_was_found_is_masked_whatever_its_contract_says(clinic):
    clinic.charter(GRANT, OPEN)
    table = clinic.publish(listed=[{**c, "classification": "internal"} for c in LISTED])
    finding = {"column": "email", "detector": "email", "tested": 2, "matched": 2, "classification": "internal"}
    clinic.check(table, personal={"outcome": "broken", "findings": [finding | {"hint": False}]})
    assert look().columns == {"id": "clear", "age": "clear", "email": "pseudonym", "illness": "clear"}


def test_its_lock_is_verified_like_any_other(unreleased, tmp_path):
    path = tmp_path / "data.lock"
    look(lock=path)
    assert verify(path).manifest.version == "unreleased"
    unreleased.charter("\n    unreleased: true", "")
    with pytest.raises(Refused):
        verify(path)


def test_a_lock_that_claims_other_files_is_refused(unreleased, tmp_path):
    path = tmp_path / "data.lock"
    look(lock=path)
    content = json.loads(path.read_text())
    content["manifest"]["products"][0]["files"][0]["rows"] = 7
    path.write_text(json.dumps(content))
    with pytest.raises(IntegrityError):
        verify(path)


def test_a_charter_with_such_a_phase_has_no_hatch(tmp_path, monkeypatch):
    made = make(tmp_path / "clinic")
    made.charter("phase: proof\nphases: [proof, business]", "phase: poc\nphases: [poc, business]")
    made.charter("  - phase: proof", "  - phase: poc")
    monkeypatch.chdir(made.root)
    made.publish()
    assert refusal() == ["release_none"]
    made.charter(GRANT, OPEN)
    with pytest.raises(DefinitionError, match="is a phase of this charter"):
        look()
    made.database.close()
