"""An exported log: an auditor verifies it with the charter's keys and a checkpoint, without the database."""

import json

import pytest

from ecluse.errors import IntegrityError, LedgerError
from ecluse.ledger import open_checkpoint, sign, verify_export


def test_an_exported_log_verifies_like_the_database(filled, service, tmp_path):
    path = tmp_path / "log.jsonl"
    kept = open_checkpoint(filled.checkpoint(service), filled.trust)
    assert filled.export(path) == 5
    assert verify_export(path, filled.trust, [kept]) == filled.verify()


def _line(number, change):
    def damage(lines):
        found = json.loads(lines[number])
        change(found)
        return [*lines[:number], json.dumps(found), *lines[number + 1 :]]

    return damage


@pytest.mark.parametrize(
    ("damage", "position"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], 2),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 0),
        (lambda lines: [*lines[:3], "{", *lines[4:]], 3),
        (lambda lines: [*lines[:3], "[]", *lines[4:]], 3),
        (_line(1, lambda found: found.update(leaf="00" * 32)), 1),
        (_line(1, lambda found: found.update(leaf=5)), 1),
        (_line(4, lambda found: found.pop("envelope")), 4),
        (_line(4, lambda found: found["envelope"].update(payload="AA==")), 4),
        (lambda lines: [*lines[:2], lines[2].replace("}]", '},"x"]', 1), *lines[3:]], 2),
    ],
)
def test_a_damaged_export_names_the_position(filled, tmp_path, damage, position):
    path = tmp_path / "log.jsonl"
    filled.export(path)
    path.write_text("\n".join(damage(path.read_text().splitlines())) + "\n")
    with pytest.raises(IntegrityError) as caught:
        verify_export(path, filled.trust)
    assert caught.value.fields["position"] == position


def test_an_export_that_ends_within_a_line_is_said_to_be_cut_off(filled, tmp_path):
    path = tmp_path / "log.jsonl"
    filled.export(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IntegrityError, match="ends in the middle of its line 5: it was cut off"):
        verify_export(path, filled.trust)


def test_a_shortened_or_other_export_is_found_by_the_checkpoint(filled, fact, service, tmp_path):
    path = tmp_path / "log.jsonl"
    with filled.database.transaction() as connection:
        filled.append(connection, [sign(fact(n=5), service)])
    kept = open_checkpoint(filled.checkpoint(service), filled.trust)
    filled.export(path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(IntegrityError, match="ends before position 5"):
        verify_export(path, filled.trust, [kept])


def test_a_place_that_cannot_be_written_or_read_is_a_clear_error(filled, tmp_path):
    with pytest.raises(LedgerError, match="can't be exported"):
        filled.export(tmp_path / "nowhere" / "log.jsonl")
    with pytest.raises(LedgerError, match="can't be read"):
        verify_export(tmp_path / "nowhere.jsonl", filled.trust)
