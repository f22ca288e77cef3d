"""Which key counts: for whom, when, for what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.errors import DefinitionError
from ecluse.ledger import attesting, kinds_of, trust_of
from ecluse.model.charter import Key, Party
from ecluse.model.facts import KINDS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def with_key(charter, **validity):
    """The charter with the service's key valid otherwise."""
    service, *others = charter.parties
    return replace(charter, parties=(replace(service, keys=(replace(service.keys[0], **validity),)), *others))


def reason(charter, signer, kind="run", at=AT):
    doubt = trust_of(charter).doubt(signer.key_id, kind, at)
    assert doubt is None or str(doubt)
    return doubt and doubt.key.removeprefix("ledger.")


@pytest.mark.parametrize(
    ("validity", "found"),
    [
        ({}, None),
        ({"since": AT}, None),
        ({"since": AT + timedelta(seconds=1)}, "not_valid"),
        ({"until": AT}, "not_valid"),
        ({"until": AT + timedelta(seconds=1)}, None),
        ({"revoked": AT}, "revoked"),
        ({"revoked": AT - DAY}, "revoked"),
        ({"revoked": AT + DAY}, None),
        ({"since": AT.replace(tzinfo=None)}, None),
        ({"until": AT.replace(tzinfo=None)}, "not_valid"),
    ],
)
def test_a_key_counts_from_since_until_it_ends_or_is_revoked(charter, service, validity, found):
    assert reason(with_key(charter, **validity), service) == found


def test_an_unknown_key_never_counts(charter, service, person):
    only_person = replace(charter, parties=charter.parties[1:])
    assert reason(only_person, service) == "unknown_key"
    assert trust_of(only_person).parties() == {person.key_id: person.party}


@pytest.mark.parametrize("kind", KINDS)
def test_people_decide_and_services_attest(charter, service, person, kind):
    assert reason(charter, service, kind) == (
        None if kind in {"run", "publication", "evidence", "release"} else "may_not_attest"
    )
    assert reason(charter, person, kind) == (None if kind in {"decision", "read"} else "may_not_attest")


@pytest.mark.parametrize("kinds", [("decision",), ("run", "decision"), ("rum",)])
def test_a_service_can_never_be_given_decisions_or_unknown_kinds(charter, kinds):
    with pytest.raises(DefinitionError, match="Decisions are signed by people"):
        kinds_of(Party("svc", attests=kinds))
    with pytest.raises(DefinitionError):
        trust_of(replace(charter, parties=(Party("svc", attests=kinds),)))


def test_the_parties_that_may_attest_a_kind_are_found(charter, service, person):
    assert [p.id for p in attesting(charter, "release")] == [service.party]
    assert [p.id for p in attesting(charter, "decision")] == [person.party]


@pytest.mark.parametrize("public", ["", "abc", "zz" * 32, "00" * 31])
def test_a_public_key_that_is_none_is_the_charters_fault(charter, public):
    party = Party("p-1", keys=(Key(public, AT),))
    with pytest.raises(DefinitionError, match="64 hexadecimal digits"):
        trust_of(replace(charter, parties=(party,)))
