"""The log of facts: keys, signed envelopes, an append-only Merkle log, checkpoints."""

from ecluse.ledger.audit import LogState
from ecluse.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint, seal_checkpoint
from ecluse.ledger.envelope import sign
from ecluse.ledger.export import Exported, open_export, verify_export
from ecluse.ledger.jcs import canonical, parse
from ecluse.ledger.keys import KeyPair, Signer, key_id, list_keys, load_signer, new_key, scheme_of
from ecluse.ledger.local import parties_here, service_signer, signer_for, trust_locally, trust_of, with_local_keys
from ecluse.ledger.log import Log
from ecluse.ledger.places import public_at
from ecluse.ledger.proofs import Consistency, Inclusion
from ecluse.ledger.trust import Trust, TrustedKey, attesting, kinds_of, unrevoked_key

__all__ = [
    "Checkpoint",
    "Consistency",
    "Exported",
    "Inclusion",
    "KeyPair",
    "Log",
    "LogState",
    "Signer",
    "Trust",
    "TrustedKey",
    "attesting",
    "canonical",
    "key_id",
    "kinds_of",
    "list_keys",
    "load_signer",
    "new_key",
    "open_checkpoint",
    "open_export",
    "parse",
    "parties_here",
    "public_at",
    "read_checkpoint",
    "scheme_of",
    "seal_checkpoint",
    "service_signer",
    "sign",
    "signer_for",
    "trust_locally",
    "trust_of",
    "unrevoked_key",
    "verify_export",
    "with_local_keys",
]
