"""The keys of this machine: those of the charter's parties, and in the demo profile those made on first use.

A demo's keys are trusted through an ignored local file, ``trust.json`` in the profile's folder::

    {"version": 1, "parties": [{"id": "demo-owner", "roles": [...], "attests": [...], "keys": [{"public": "…", …}]}]}

Every other profile ignores that file: there only the charter's keys count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ecluse.errors import DefinitionError, LedgerError
from ecluse.ledger.keys import KeyPair, Signer, key_id, list_keys, load_signer, new_key
from ecluse.ledger.places import place_signer, schemes_at
from ecluse.ledger.trust import PIPELINE_KINDS, Trust, charter_trust, kinds_of
from ecluse.model.canonical import plain
from ecluse.model.charter import Charter, Key, Party
from ecluse.project import Project
from ecluse.store import alone

#: A demo's key counts at any time: its facts may replay history.
_DEMO_SINCE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class _TrustFile:
    version: Literal[1]
    parties: tuple[Party, ...]


_FILE: TypeAdapter[_TrustFile] = TypeAdapter(_TrustFile)


def trust_of(charter: Charter, project: Project | None = None) -> Trust:
    """The keys that count: the charter's, and in a project's demo profile those of this machine."""
    return charter_trust(charter if project is None else with_local_keys(project, charter))


def with_local_keys(project: Project, charter: Charter) -> Charter:
    """The charter that counts in this profile.

    In a demo it also holds the local file's parties and keys, and a key is made for every party that has none on this
    machine. Elsewhere it is the charter as it is.
    """
    if not project.makes_keys:
        return charter
    counting = _merged(project, charter)
    if not all(_pairs(project, counting, party.id, project.now()) for party in counting.parties):
        with _alone(project):
            counting = _merged(project, charter)
            for party in counting.parties:
                if not _pairs(project, counting, party.id, project.now()):
                    _first_use(project, party.id)
        counting = _merged(project, charter)
    return counting


def trust_locally(project: Project, party: Party) -> None:
    """Add a party that the charter doesn't name, with its roles, to a demo's local file; ``LedgerError`` elsewhere."""
    if not project.makes_keys:
        raise LedgerError("ledger.demo_only", party=party.id, profile=project.profile)
    with _alone(project):
        _write(project, [*(p for p in _read(project) if p.id != party.id), party])


def signer_for(
    project: Project, charter: Charter, party: str, passphrase: str | None = None, *, at: datetime | None = None
) -> Signer:
    """The signer of a party of the charter: its newest key on this machine that counts at ``at`` (now).

    Where the profile's ``signers`` name a token, a key service or an agent for the party, it signs there;
    ``passphrase`` is a token's PIN.

    Raises ``LedgerError`` for an unknown party, and where this machine holds no key that counts for it.
    """
    counting = with_local_keys(project, charter)
    if counting.party(party) is None:
        known = ", ".join(p.id for p in counting.parties)
        raise LedgerError("ledger.unknown_party", party=party, known=known)
    moment = at or project.now()
    if (uri := dict(project.signers).get(party)) is not None and (keys := _staying(counting, party, moment, uri)):
        return place_signer(party, uri, keys, passphrase)
    pairs = _pairs(project, counting, party, moment)
    if not pairs:
        raise LedgerError("ledger.no_key", party=party, folder=project.keys, profile=project.profile)
    return load_signer(pairs[-1], passphrase)


def service_signer(project: Project, charter: Charter, passphrase: str | None = None) -> Signer:
    """The signer of a pipeline: of the first service that attests runs, publications and evidence and has a key here.

    Raises ``LedgerError`` where the charter names no such service, or this machine holds the key of none.
    """
    counting = with_local_keys(project, charter)
    services = [p.id for p in counting.parties if kinds_of(p) >= PIPELINE_KINDS]
    if not services:
        raise LedgerError("ledger.no_service", kinds=", ".join(sorted(PIPELINE_KINDS)))
    here = [id for id in services if _has_key(project, counting, id)]
    return signer_for(project, charter, here[0] if here else services[0], passphrase)


def parties_here(project: Project, charter: Charter) -> tuple[str, ...]:
    """The charter's parties whose key is on this machine and counts now, in the charter's order."""
    counting = with_local_keys(project, charter)
    return tuple(p.id for p in counting.parties if _has_key(project, counting, p.id))


def _merged(project: Project, charter: Charter) -> Charter:
    local = {p.id: p for p in _read(project)}
    known = [
        replace(p, keys=(*p.keys, *(k for k in local[p.id].keys if k not in p.keys))) if p.id in local else p
        for p in charter.parties
    ]
    added = [p for id, p in local.items() if charter.party(id) is None]
    try:
        return replace(charter, parties=(*known, *added))
    except ValidationError as error:
        raise DefinitionError("ledger.trust_file", path=project.trust, error=_first(error)) from error


def _has_key(project: Project, charter: Charter, party: str) -> bool:
    """Whether this machine can sign for a party now: with a file, or in a place that its profile names."""
    now = project.now()
    uri = dict(project.signers).get(party)
    staying = uri is not None and _staying(charter, party, now, uri)
    return bool(staying or _pairs(project, charter, party, now))


def _staying(charter: Charter, party: str, at: datetime, uri: str) -> list[str]:
    """The public halves of a party's keys that may lie at ``uri`` and count at that time, oldest first."""
    trust, found = charter_trust(charter), charter.party(party)
    schemes = schemes_at(uri)
    keys = {
        key_id(key.public, key.scheme): key.public for key in (found.keys if found else ()) if key.scheme in schemes
    }
    counting = [id for id in keys if trust.doubt(id, None, at) is None]
    return [keys[id] for id in sorted(counting, key=trust.since)]


def _pairs(project: Project, charter: Charter, party: str, at: datetime) -> list[KeyPair]:
    """The keys on this machine that count for a party at that time, oldest first."""
    trust = charter_trust(charter)
    found = [
        pair
        for pair in list_keys(project.keys)
        if pair.key_id in trust.keys
        and pair.party == party == trust.keys[pair.key_id].party
        and trust.doubt(pair.key_id, None, at) is None
    ]
    return sorted(found, key=lambda pair: trust.since(pair.key_id))


def _first_use(project: Project, party: str) -> None:
    # NOTE: a key whose local file was deleted is trusted again, or the facts that it signed would no longer count.
    parties = {p.id: p for p in _read(project)}
    found = parties.get(party, Party(party))
    listed = {key.public for key in found.keys}
    kept = [k for k in list_keys(project.keys) if k.party == party and not k.encrypted and k.public not in listed]
    pairs = kept or [new_key(project.keys, party)]
    parties[party] = replace(found, keys=(*found.keys, *(Key(pair.public, since=_DEMO_SINCE) for pair in pairs)))
    _write(project, [*parties.values()])


def _read(project: Project) -> tuple[Party, ...]:
    if not project.trust.is_file():
        return ()
    try:
        return _FILE.validate_json(project.trust.read_bytes()).parties
    except (OSError, ValueError) as error:
        raise DefinitionError("ledger.trust_file", path=project.trust, error=_first(error)) from error


def _write(project: Project, parties: list[Party]) -> None:
    text = json.dumps({"version": 1, "parties": plain(parties)}, indent=2) + "\n"
    beside = project.trust.with_suffix(".new")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(project.trust)
    except OSError as error:
        raise LedgerError("ledger.key_write", path=project.trust, error=error.strerror) from error


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Hold the profile's keys against other processes: two that start at once make one key, not two."""
    with ExitStack() as held:
        try:
            held.enter_context(alone(project.state / "trust.lock"))
        except OSError as error:
            raise LedgerError("ledger.key_write", path=project.state, error=error.strerror) from error
        yield


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
