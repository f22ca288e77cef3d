"""Which key counts for whom, when, and for which kinds of facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ecluse.errors import DefinitionError, LedgerError
from ecluse.ledger.keys import key_id
from ecluse.model.charter import Charter, Key, Party
from ecluse.model.facts import KINDS

#: What a person signs: decisions, and what they read. Services sign what the charter's ``attests`` lists.
PERSON_KINDS = frozenset({"decision", "read"})
SERVICE_KINDS = frozenset(KINDS) - {"decision"}
#: What a service must attest to carry out steps.
PIPELINE_KINDS = frozenset({"run", "publication", "evidence"})


@dataclass(frozen=True)
class TrustedKey:
    """A public key: whose it is, when it counts, what it may attest."""

    party: str
    key: Key
    kinds: frozenset[str]


@dataclass(frozen=True)
class Trust:
    """All keys that count, by key id."""

    keys: Mapping[str, TrustedKey]

    def parties(self) -> dict[str, str]:
        """Party id by key id: what ``gate.verdict`` takes."""
        return {id: trusted.party for id, trusted in self.keys.items()}

    def doubt(self, id: str, kind: str | None, at: datetime) -> LedgerError | None:
        """Why the key ``id`` doesn't count for a fact of that kind at that time; ``None`` where it does.

        ``kind=None`` asks about a checkpoint, which every key that counts at that time may sign.
        """
        trusted = self.keys.get(id)
        if trusted is None:
            return LedgerError("ledger.unknown_key", key_id=id[:16])
        key, party = trusted.key, trusted.party
        if at < _utc(key.since) or (key.until is not None and at >= _utc(key.until)):
            until = _utc(key.until).isoformat() if key.until else "…"
            return LedgerError(
                "ledger.not_valid", party=party, since=_utc(key.since).isoformat(), until=until, at=at.isoformat()
            )
        if (revoked := self.revoked(id)) is not None and at >= revoked:
            return LedgerError("ledger.revoked", party=party, revoked=revoked.isoformat(), at=at.isoformat())
        if kind is not None and kind not in trusted.kinds:
            return LedgerError("ledger.may_not_attest", party=party, kind=kind, kinds=", ".join(sorted(trusted.kinds)))
        return None

    def since(self, id: str) -> datetime:
        """From when the key ``id`` counts; ``KeyError`` for an unknown one."""
        return _utc(self.keys[id].key.since)

    def ends(self, id: str) -> datetime | None:
        """From when on the key ``id`` counts no more, ended or revoked; ``None`` where it goes on."""
        trusted = self.keys.get(id)
        ends = [_utc(end) for end in (trusted.key.until, trusted.key.revoked) if end] if trusted else []
        return min(ends, default=None)

    def revoked(self, id: str) -> datetime | None:
        """When the key ``id`` was revoked, or ``None``."""
        trusted = self.keys.get(id)
        return _utc(trusted.key.revoked) if trusted and trusted.key.revoked else None


def kinds_of(party: Party) -> frozenset[str]:
    """The kinds of facts that a party may attest.

    A party that lists ``attests`` is a service and signs those kinds, never decisions; one that lists none is a
    person. Raises ``DefinitionError`` for kinds that don't exist or that no service may attest.
    """
    if not party.attests:
        return PERSON_KINDS
    if wrong := sorted(set(party.attests) - SERVICE_KINDS):
        raise DefinitionError(
            "ledger.attests", party=party.id, wrong=", ".join(wrong), kinds=", ".join(sorted(SERVICE_KINDS))
        )
    return frozenset(party.attests)


def attesting(charter: Charter, kind: str) -> tuple[Party, ...]:
    """The charter's parties that may attest a kind, in its order."""
    return tuple(p for p in charter.parties if kind in kinds_of(p))


def unrevoked_key(charter: Charter, party: str, beginning: str | None = None) -> tuple[str, str]:
    """Id and public half of the one key of a party that isn't revoked, or of the one whose id begins like this.

    Raises ``LedgerError`` for a party or a key that the charter doesn't list, and where there are several.
    """
    found = charter.party(party)
    if found is None:
        raise LedgerError("ledger.unknown_party", party=party, known=", ".join(p.id for p in charter.parties))
    if not found.keys:
        raise LedgerError("ledger.no_key_listed", party=party)
    keys = {key_id(key.public, key.scheme): key for key in found.keys}
    meant = [id for id, key in keys.items() if id.startswith((beginning or "").lower())]
    if beginning is None:
        meant = [id for id in meant if keys[id].revoked is None] or meant
    if len(meant) != 1:
        known = ", ".join(id[:16] for id in keys)
        if beginning is None:
            raise LedgerError("ledger.several_keys", party=party, count=len(meant), known=known)
        raise LedgerError("ledger.which_key", party=party, asked=beginning, count=len(meant), known=known)
    return meant[0], keys[meant[0]].public


def charter_trust(charter: Charter) -> Trust:
    """The keys that a charter lists. Raises ``DefinitionError`` for a public key that is none of its scheme."""
    found: dict[str, TrustedKey] = {}
    for party in charter.parties:
        kinds = kinds_of(party)
        for key in party.keys:
            try:
                id = key_id(key.public, key.scheme)
            except ValueError as error:
                found_key, scheme = key.public[:80], key.scheme
                raise DefinitionError("ledger.public_key", party=party.id, found=found_key, scheme=scheme) from error
            found[id] = TrustedKey(party.id, key, kinds)
    return Trust(found)


def _utc(time: datetime) -> datetime:
    """A time of the charter; one without a zone is in UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)
