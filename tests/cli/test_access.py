"""``ecluse access log``: who read which data, for what purpose, when, and how each column was shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecluse.door import load
from ecluse.errors import Refused
from ecluse.store import Database
from tests.door.conftest import PRODUCT, make


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A project whose release was read once, and refused twice."""
    made = make(tmp_path_factory.mktemp("access") / "clinic")
    made.release(made.publish())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ECLUSE_PROJECT", "ECLUSE_PROFILE", "ECLUSE_READER"):
            patch.delenv(name, raising=False)
        load(PRODUCT, purpose="care", project=made.root)
        with pytest.raises(Refused):
            load(PRODUCT, purpose="advertising", project=made.root)
        patch.setenv("ECLUSE_READER", "guest")
        with pytest.raises(Refused):
            load("products.other", purpose="care", project=made.root)
    yield made
    made.database.close()


@pytest.fixture
def listed(clinic, call):
    return lambda *options: call("--project", clinic.root, "access", "log", *options, "--json").json


def test_who_read_what_for_which_purpose_and_how(listed):
    read, refused, other = listed()
    assert (read["reader"], read["datasets"], read["version"]) == ("model", [PRODUCT], "1.0.0")
    assert (read["purpose"], read["phase"], read["environment"]) == ("care", "proof", "dev")
    assert (read["opens"], read["authenticated"], read["released"]) == (True, False, True)
    assert read["columns"] == {f"{PRODUCT}.id": "clear", f"{PRODUCT}.age": "clear", f"{PRODUCT}.email": "pseudonym"}
    assert datetime.fromisoformat(read["at"]).tzinfo
    assert (refused["opens"], refused["reasons"], refused["columns"]) == (False, ["purpose_prohibited"], {})
    assert (other["reader"], other["version"]) == ("guest", None)


@pytest.mark.parametrize(
    ("options", "readers"),
    [
        (("--dataset", PRODUCT), ["model", "model"]),
        (("--reader", "guest"), ["guest"]),
        (("--dataset", PRODUCT, "--reader", "guest"), []),
        (("--since", "2020-01-01"), ["model", "model", "guest"]),
        (("--since", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"), []),
    ],
)
def test_filters_leave_out_what_nobody_asked_for(listed, options, readers):
    assert [access["reader"] for access in listed(*options)] == readers


def test_nobody_takes_a_misspelt_reader_for_one_who_read_nothing(clinic, call):
    assert call("--project", clinic.root, "access", "log", "--reader", "ana").code == 0
    unknown = call("--project", clinic.root, "access", "log", "--reader", "anna")
    assert (unknown.code, "Allowed: a party of the charter:" in unknown.err) == (2, True)


def test_people_get_a_table(clinic, call):
    shown = call("--project", clinic.root, "access", "log").out
    for part in ("model (unproven)", "care", "clear: age, id", "pseudonym: email", "refused: purpose_prohibited"):
        assert part in shown


def test_people_get_it_in_french(clinic, call):
    shown = call("--project", clinic.root, "--lang", "fr", "access", "log").out
    assert "en clair\u00a0: age, id" in shown


def test_nobody_yet_is_said(clinic, call):
    assert "Nobody asked" in call("--project", clinic.root, "access", "log", "--reader", "ana").out


def test_a_log_of_reads_that_was_altered_is_no_log(tmp_path, call):
    made = make(tmp_path / "clinic")
    made.release(made.publish())
    load(PRODUCT, purpose="care", project=made.root)

    database = Database(made.project.reads_url)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE ecluse_facts SET envelope = replace(envelope, 'a', 'b')")
    database.close()
    made.database.close()
    answer = call("--project", made.root, "access", "log")
    assert answer.code != 0
    assert "Nobody" not in answer.out
