"""The keys of this machine: made on first use in a demo, and nowhere else."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from ecluse.errors import DefinitionError, LedgerError
from ecluse.ledger import (
    Log,
    list_keys,
    new_key,
    parties_here,
    service_signer,
    sign,
    signer_for,
    trust_locally,
    trust_of,
    with_local_keys,
)
from ecluse.model.charter import Charter, Gate, Key, Party, Role
from ecluse.project import Project

ATTESTS = ("run", "publication", "evidence", "release")
PEOPLE = Charter("demo", "none", "poc", ("poc",), (), (Gate("poc"),), (Party("svc", attests=ATTESTS), Party("p-owner")))


@pytest.fixture
def demo(tmp_path):
    url = f"sqlite:///{tmp_path / 'ecluse.db'}"
    return Project(tmp_path, "demo", "demo", "demo", url, tmp_path / "state", makes_keys=True)


@pytest.fixture
def dev(demo):
    return replace(demo, profile="dev", makes_keys=False)


def test_a_demo_makes_keys_once_and_they_count(demo, database, fact):
    log = Log(database, trust_of(PEOPLE, demo))
    service, owner = service_signer(demo, PEOPLE), signer_for(demo, PEOPLE, "p-owner")
    assert (service.party, owner.party) == ("svc", "p-owner")
    assert service_signer(demo, PEOPLE).key_id == service.key_id
    with database.transaction() as connection:
        log.append(connection, [sign(fact("run"), service), sign(fact("decision"), owner)])
    assert [f.key_ids for f in log.facts()] == [{service.key_id}, {owner.key_id}]
    assert parties_here(demo, PEOPLE) == ("svc", "p-owner")
    assert len(list_keys(demo.keys)) == 2


def test_the_same_file_counts_for_nothing_outside_the_demo(demo, dev):
    made = signer_for(demo, PEOPLE, "p-owner")
    assert made.key_id in trust_of(PEOPLE, demo).keys
    assert not trust_of(PEOPLE, dev).keys
    assert with_local_keys(dev, PEOPLE) is PEOPLE
    assert parties_here(dev, PEOPLE) == ()
    with pytest.raises(LedgerError, match="no key that counts for p-owner"):
        signer_for(dev, PEOPLE, "p-owner")
    with pytest.raises(LedgerError, match="no key that counts for svc"):
        service_signer(dev, PEOPLE)
    with pytest.raises(LedgerError, match="only the demo profile"):
        trust_locally(dev, Party("p-2"))


def test_outside_the_demo_the_charters_newest_key_signs(dev):
    old, new = new_key(dev.keys, "p-owner"), new_key(dev.keys, "p-owner", "open sesame")
    new_key(dev.keys, "p-owner")
    keys = (Key(old.public, "2026-01-01T00:00:00Z"), Key(new.public, "2026-02-01T00:00:00Z"))
    charter = replace(PEOPLE, parties=(Party("p-owner", keys=keys),))
    assert signer_for(dev, charter, "p-owner", "open sesame").key_id == new.key_id
    with pytest.raises(LedgerError, match="is encrypted"):
        signer_for(dev, charter, "p-owner")
    with pytest.raises(LedgerError, match="names no service"):
        service_signer(dev, charter)


def test_a_key_of_one_party_never_signs_for_another(dev):
    pair = new_key(dev.keys, "p-other")
    charter = replace(PEOPLE, parties=(Party("p-owner", keys=(Key(pair.public, "2026-01-01T00:00:00Z"),)),))
    with pytest.raises(LedgerError, match="no key that counts"):
        signer_for(dev, charter, "p-owner")


def test_a_demo_party_brings_its_roles(demo):
    role = Role("business-owner", "2026-01-01")
    trust_locally(demo, Party("demo-business", roles=(role,)))
    signer = signer_for(demo, PEOPLE, "demo-business")
    party = with_local_keys(demo, PEOPLE).party("demo-business")
    assert party.roles == (role,)
    assert [k.public for k in party.keys] == [signer.public]


def test_an_unknown_party_is_told_who_there_is(demo):
    with pytest.raises(LedgerError, match="svc, p-owner"):
        signer_for(demo, PEOPLE, "p-nobody")


def test_a_deleted_local_file_trusts_the_same_keys_again(demo):
    before = trust_of(PEOPLE, demo)
    demo.trust.unlink()
    assert trust_of(PEOPLE, demo) == before


def test_a_deleted_key_is_replaced_and_the_old_one_still_counts(demo):
    old = signer_for(demo, PEOPLE, "p-owner")
    for path in demo.keys.glob("p-owner.*"):
        path.unlink()
    new = signer_for(demo, PEOPLE, "p-owner")
    assert new.key_id != old.key_id
    assert {old.key_id, new.key_id} <= set(trust_of(PEOPLE, demo).keys)


def test_the_local_file_holds_no_secret_and_can_be_read(demo):
    trust_of(PEOPLE, demo)
    found = json.loads(demo.trust.read_text())
    assert found["version"] == 1
    assert {p["id"] for p in found["parties"]} == {"svc", "p-owner"}
    assert "PRIVATE" not in demo.trust.read_text()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"version": 2, "parties": []}',
        '{"version": 1}',
        '{"version": 1, "parties": [{"id": 1}]}',
        '{"version": 1, "parties": [], "more": 1}',
    ],
)
def test_a_damaged_local_file_is_a_clear_error(demo, content):
    demo.state.mkdir()
    demo.trust.write_text(content)
    with pytest.raises(DefinitionError, match="can't be used"):
        trust_of(PEOPLE, demo)


def test_one_key_for_two_parties_is_refused(demo):
    signer = signer_for(demo, PEOPLE, "p-owner")
    trust_locally(demo, Party("p-thief", keys=(Key(signer.public, "2026-01-01T00:00:00Z"),)))
    with pytest.raises(DefinitionError, match="can't be used"):
        trust_of(PEOPLE, demo)


def test_a_state_folder_that_cannot_be_made_is_a_clear_error(demo, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="can't be written"):
        trust_of(PEOPLE, replace(demo, state=tmp_path / "file" / "state"))


_START = """
import sys
from pathlib import Path
from ecluse.ledger import service_signer
from ecluse.model.charter import Charter, Gate, Party
from ecluse.project import Project
folder = Path(sys.argv[1])
project = Project(folder, "demo", "demo", "demo", "sqlite://", folder / "state", makes_keys=True)
parties = tuple(Party(f"svc-{n}", attests=("run", "publication", "evidence")) for n in range(8))
charter = Charter("demo", "none", "poc", ("poc",), (), (Gate("poc"),), parties)
print(service_signer(project, charter).key_id)
"""


def test_processes_that_start_at_once_make_one_key_per_party(tmp_path):
    started = [
        subprocess.Popen([sys.executable, "-c", _START, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1
    assert all(process.returncode == 0 for process in started)
    assert len(list_keys(tmp_path / "state" / "keys")) == 8
