"""A lock is verified far from its project: by an exported log and a charter, without database, tables or network."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecluse.charterfile import load_charter
from ecluse.cli import app
from ecluse.door import load, verify
from ecluse.errors import DefinitionError, EcluseError, IntegrityError, LedgerError, Refused
from ecluse.ledger import Log, new_key, sign, signer_for, trust_of
from ecluse.model.facts import Fact
from tests.door.conftest import PRODUCT, Clinic, make, rewrite


@dataclass
class Away:
    """What an auditor was given, in a folder that has nothing to do with the project."""

    clinic: Clinic
    folder: Path

    @property
    def lock(self) -> Path:
        return self.folder / "data.lock"

    @property
    def evidence(self) -> Path:
        return self.folder / "log.ndjson"

    @property
    def charter(self) -> Path:
        return self.folder / "charter.yaml"

    def log(self) -> Log:
        return Log(self.clinic.database, trust_of(load_charter(self.clinic.project), self.clinic.project))

    def export(self) -> None:
        self.log().export(self.evidence)

    def verify(self, **more):
        return verify(self.lock, evidence=self.evidence, charter=self.charter, **more)


def _made(root: Path, folder: Path) -> Away:
    """A released project of a team, and what was given away of it: lock, exported log, charter."""
    clinic = make(root, "prod", readers=("pipeline", "ana", "model"))
    clinic.manifest = clinic.release(clinic.publish(listed=PLAIN))
    found = Away(clinic, folder)
    folder.mkdir()
    with pytest.MonkeyPatch.context() as here:
        here.setenv("ECLUSE_PROFILE", "prod")
        here.setenv("ECLUSE_READER", "model")
        load(PRODUCT, purpose="care", project=root, lock=found.lock)
    found.export()
    shutil.copy(root / "charter.yaml", found.charter)
    return found


@pytest.fixture(scope="module")
def _given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    found = _made(folder / "clinic", folder / "away")
    yield found
    found.clinic.database.close()


@pytest.fixture
def away(_given, tmp_path, monkeypatch):
    """What was given away, in a folder of its own; the project behind it is shared, and stays as it is."""
    found = Away(_given.clinic, shutil.copytree(_given.folder, tmp_path / "away"))
    monkeypatch.chdir(found.folder)
    return found


@pytest.fixture
def own(tmp_path, monkeypatch):
    """As ``away``, with a project that the test may change."""
    found = _made(tmp_path / "clinic", tmp_path / "away")
    monkeypatch.chdir(found.folder)
    yield found
    found.clinic.database.close()


PLAIN = [
    {"name": "id", "type": "BIGINT", "classification": "internal"},
    {"name": "age", "type": "INTEGER", "classification": "public"},
]


def test_a_lock_holds_by_an_exported_log_and_public_keys_alone(away):
    found = away.verify()
    assert found.manifest == away.clinic.manifest
    assert (found.files, found.locked.size, found.log.size) == (None, 4, 4)
    assert found.verdict.warnings == ()
    assert verify(away.lock, evidence=away.evidence) == found
    assert {p.name for p in away.folder.iterdir()} == {"data.lock", "log.ndjson", "charter.yaml"}


def test_a_copy_of_the_files_is_hashed_where_there_is_one(away):
    warehouse = Path(away.clinic.project.warehouse)
    copy = shutil.copytree(warehouse, away.folder / "tables")
    assert away.verify(files=copy).files == 1
    file = copy / away.clinic.manifest.products[0].files[0].path
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(IntegrityError, match="altered"):
        away.verify(files=copy)


def test_says_what_was_withdrawn_after_the_model_was_trained(own):
    own.clinic.decide(own.clinic.manifest, verdict="withdrawn", reason="A ward was missing.")
    own.export()
    with pytest.raises(Refused, match=rf"locks since {datetime.now(UTC).year}") as caught:
        own.verify()
    assert [r.key for r in caught.value.verdict.reasons] == ["withdrawn"]


def test_an_older_export_is_told_by_its_newest_fact_and_refused_by_a_newer_checkpoint(own):
    own.clinic.decide(own.clinic.manifest, verdict="withdrawn", reason="A ward was missing.")
    charter = load_charter(own.clinic.project)
    kept = own.folder / "kept.json"
    kept.write_text(json.dumps(own.log().checkpoint(signer_for(own.clinic.project, charter, "pipeline"))))
    assert own.verify().newest < datetime.now(UTC)
    with pytest.raises(IntegrityError, match="counted 5 facts"):
        own.verify(checkpoint=kept)
    own.export()
    with pytest.raises(Refused):
        own.verify(checkpoint=kept)


def _line(number, change):
    def damage(away):
        lines = away.evidence.read_text().splitlines()
        found = json.loads(lines[number])
        change(found, json.loads(lines[number - 1]))
        lines[number] = json.dumps(found)
        away.evidence.write_text("\n".join(lines) + "\n")

    return damage


def _without(number):
    def damage(away):
        lines = away.evidence.read_text().splitlines(keepends=True)
        away.evidence.write_text("".join(lines[:number] + lines[number + 1 :]))

    return damage


def _forged(away):
    """A fact that the thief signs with a key of their own, in the name of who decides."""
    stranger = make(away.folder / "stranger", "prod", readers=("pipeline", "ana", "model"))
    stranger.manifest = stranger.release(stranger.publish(listed=PLAIN))
    Log(stranger.database, trust_of(load_charter(stranger.project))).export(away.evidence)
    stranger.database.close()


@pytest.mark.parametrize(
    "damage",
    [
        _without(3),
        _without(1),
        _line(2, lambda found, before: found.update(envelope=before["envelope"])),
        _line(2, lambda found, before: found["envelope"].update(payload=before["envelope"]["payload"])),
        _line(2, lambda found, before: found["envelope"].update(signatures=before["envelope"]["signatures"])),
        _line(2, lambda found, _: found.update(leaf="0" * 64)),
        _line(2, lambda found, _: found.update(position=7)),
        lambda away: away.evidence.write_bytes(b"\xff" + away.evidence.read_bytes()),
        lambda away: away.evidence.write_text(""),
        _forged,
    ],
    ids=[
        "cut off", "a fact left out", "an envelope swapped", "a payload swapped", "a signature swapped", "a leaf",
        "a position", "no JSON", "nothing", "strangers' keys",
    ],
)  # fmt: skip
def test_tampered_evidence_proves_nothing(away, damage):
    away.verify()
    damage(away)
    with pytest.raises(IntegrityError):
        away.verify()


def test_another_past_by_the_pipeline_itself_is_not_the_one_of_the_lock(own):
    charter = load_charter(own.clinic.project)
    signer = signer_for(own.clinic.project, charter, "pipeline")
    now = datetime.now(UTC) - timedelta(days=1)
    other = Fact("evidence", (), {"about": "nothing"}, now, own.clinic.project.name, own.clinic.project.environment)
    with own.clinic.database.transaction() as connection:
        for table in ("ecluse_subjects", "ecluse_subtrees", "ecluse_facts"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        said = [replace(other, at=other.at + timedelta(seconds=n)) for n in range(4)]
        own.log().append(connection, [sign(fact, signer) for fact in said])
    own.export()
    with pytest.raises(IntegrityError, match="not those that it had"):
        own.verify()


def test_an_approval_by_a_key_that_the_charter_has_not_is_no_evidence(away):
    listed = new_key(away.folder / "other", "ana").public
    text = away.charter.read_text()
    known = load_charter(away.charter).party("ana").keys[0].public
    away.charter.write_text(text.replace(known, listed))
    with pytest.raises(IntegrityError, match="can't be computed"):
        away.verify()


def test_a_lock_that_was_altered_is_found_offline_too(away):
    rewrite(away.lock, lambda content: content["log"].update(root="0" * 64))
    with pytest.raises(IntegrityError, match="not those that it had"):
        away.verify()


def test_a_lock_of_another_environment_is_not_opened_by_this_evidence(away):
    rewrite(away.lock, lambda content: content["requests"][0].update(environment="staging"))
    with pytest.raises(Refused) as caught:
        away.verify()
    assert "release_elsewhere" in [r.key for r in caught.value.verdict.reasons]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"evidence": None, "charter": "charter.yaml"}, DefinitionError),
        ({"evidence": "nowhere.ndjson"}, LedgerError),
        ({"checkpoint": "nowhere.json"}, LedgerError),
        ({"charter": "nowhere.yaml"}, DefinitionError),
    ],
)
def test_what_is_missing_is_named(away, more, error):
    given = {"evidence": away.evidence, "charter": away.charter} | more
    with pytest.raises(error) as caught:
        verify(away.lock, **given)
    assert isinstance(caught.value, EcluseError)


def test_the_command_ends_with_0_2_and_3_and_speaks_json(own, capsys):
    def call(*more):
        capsys.readouterr()
        given = ["verify", str(own.lock), "--evidence", str(own.evidence), "--charter", str(own.charter), *more]
        return app.call(given), capsys.readouterr().out

    assert call()[0] == 0
    assert "The files were not looked at" in call()[1]
    code, out = call("--json")
    assert (code, json.loads(out)["files"], json.loads(out)["log"]["size"]) == (0, None, 4)
    own.clinic.decide(own.clinic.manifest, verdict="withdrawn")
    own.export()
    code, out = call("--json")
    assert (code, [r["key"] for r in json.loads(out)["reasons"]]) == (3, ["withdrawn"])
    _without(0)(own)
    code, out = call("--json")
    assert (code, json.loads(out)["error"]) == (2, "IntegrityError")
