"""A charter with a service and two people, their keys, and an empty log."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ecluse.ledger import Log, Signer, open_checkpoint, parties_here, public_at, scheme_of, sign, trust_of
from ecluse.model.charter import Charter, Gate, Key, Party
from ecluse.model.facts import Fact, Subject
from ecluse.project import Project
from ecluse.store import Database

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def _signer(party: str) -> Signer:
    """A key that is the same on every run: Ed25519 signatures then are, too."""
    return Signer(party, Ed25519PrivateKey.from_private_bytes(sha256(f"test {party}".encode()).digest()))


def _charter(*parties: Party) -> Charter:
    return Charter("demo", "none", "poc", ("poc",), (), (Gate("poc"),), parties)


def _party(signer: Signer, *attests: str, **validity) -> Party:
    return Party(signer.party, keys=(Key(signer.public, **{"since": SINCE, **validity}),), attests=attests)


@pytest.fixture
def fixed_signer():
    return _signer


@pytest.fixture
def charter_of():
    return _charter


@pytest.fixture
def service():
    return _signer("svc-pipeline")


@pytest.fixture
def person():
    return _signer("p-7c1d")


@pytest.fixture(params=[False, True], ids=["one-process", "every-core"])
def every_core(request):
    """Whether a log is verified by every core: either way says the same."""
    return request.param


@pytest.fixture
def extends():
    """Verify that a log extends a checkpoint."""

    def verify(log, envelope):
        return log.verify(against=[open_checkpoint(envelope, log.trust)])

    return verify


@pytest.fixture
def charter(service, person):
    return _charter(_party(service, "run", "publication", "evidence", "release"), _party(person))


@pytest.fixture
def fact():
    def make(kind="run", *names, at=AT, **predicate):
        subjects = tuple(Subject(name, sha256(name.encode()).hexdigest()) for name in names)
        return Fact(kind, subjects, predicate, at, "demo", "dev")

    return make


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'ecluse.db'}")
    yield database
    database.close()


@pytest.fixture
def log(database, charter):
    return Log(database, trust_of(charter))


@pytest.fixture
def filled(log, database, fact, service):
    """A log of five facts about alternating subjects."""
    with database.transaction() as connection:
        log.append(connection, [sign(fact("run", f"set.{'ab'[n % 2]}", n=n), service) for n in range(5)])
    return log


@pytest.fixture
def project(tmp_path, uri):
    """A project whose pipeline's key stays at ``uri``: where that is, the tests of a kind of place say."""
    url = f"sqlite:///{tmp_path / 'ecluse.db'}"
    return Project(tmp_path, "demo", "prod", "dev", url, tmp_path / "state", signers=(("svc-pipeline", uri),))


@pytest.fixture
def counts(project, team, database, fact, tmp_path, extends):
    """Show that the log counts what a signer signs for it, and that nothing of its key is left here."""

    def shown(signer, text="short"):
        log = Log(database, trust_of(team))
        with database.transaction() as connection:
            log.append(connection, [sign(fact(n=n, text=text), signer) for n in range(2)])
        assert log.verify().size == 2
        assert [f.key_ids for f in log.facts()] == [{signer.key_id}] * 2
        assert extends(log, log.checkpoint(signer)).size == 2
        assert parties_here(project, team) == ("svc-pipeline",)
        assert not (tmp_path / "state").exists()

    return shown


@pytest.fixture
def team(charter_of, uri):
    """Its charter, which lists that key."""
    attests, public = ("run", "publication", "evidence"), public_at(uri)
    return charter_of(
        Party("svc-pipeline", keys=(Key(public, SINCE, scheme=scheme_of(public)),), attests=attests), Party("p-7c1d")
    )
