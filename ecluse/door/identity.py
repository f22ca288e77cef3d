"""Who asks: the party whose private key this process can use; never a name that an argument gives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ecluse.door.definitions import Definitions
from ecluse.errors import DefinitionError
from ecluse.gate import held_grants
from ecluse.ledger import Signer, parties_here, signer_for


@dataclass(frozen=True)
class Reader:
    """A party and the key that proves it. ``authenticated``: the charter's own file lists that key."""

    party: str | None
    signer: Signer | None
    authenticated: bool


def reader_of(definitions: Definitions, datasets: Sequence[str], purpose: str) -> Reader:
    """The reader: the party that ``ECLUSE_READER`` names, or else the only one that has a key on this machine.

    In a demo every party has a key here: the first party that may read what is asked for takes the role, and is
    stamped unauthenticated. Elsewhere several keys without ``ECLUSE_READER`` are a ``DefinitionError``. A key with a
    passphrase is opened with ``ECLUSE_PASSPHRASE``. Nobody at all is a reader too: the gate refuses them.
    """
    named = os.environ.get("ECLUSE_READER")
    here = parties_here(definitions.project, definitions.written)
    if named is None and len(here) > 1 and not definitions.project.makes_keys:
        raise DefinitionError("door.which_reader", readers=", ".join(here), folder=definitions.project.keys)
    party = named or _local(definitions, here, datasets, purpose)
    if party is None:
        return Reader(None, None, authenticated=False)
    signer = signer_for(definitions.project, definitions.written, party, os.environ.get("ECLUSE_PASSPHRASE"))
    written = definitions.written.party(party)
    listed = written is not None and signer.public in [key.public for key in written.keys]
    return Reader(party, signer, authenticated=listed)


def _local(definitions: Definitions, here: Sequence[str], datasets: Sequence[str], purpose: str) -> str | None:
    today = definitions.project.now().date()
    for party in here:
        if all(held_grants(definitions.charter, party, dataset, purpose, today) for dataset in datasets):
            return party
    return here[0] if here else None
