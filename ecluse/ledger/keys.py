"""Ed25519 keys: made, listed and loaded as PEM files that only their owner can read.

A key's id is the SHA-256 of its raw public bytes. Each pair is two files, ``<party>.<first 16 digits of the
id>.pem`` (private, PKCS #8, mode 0600, encrypted where a passphrase was given) and the same with ``.pub.pem``.
Nothing secret enters a ``repr``, a log or an error.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from ecluse.errors import LedgerError

#: Signs bytes: 64 bytes of Ed25519, or ECDSA over SHA-256 in DER.
Sign = Callable[[bytes], bytes]

ED25519, P256 = "ed25519", "ecdsa-sha2-nistp256"
#: How many bytes a public key has, by scheme.
_BYTES = {ED25519: 32, P256: 65}

_PARTY = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_PUBLIC = ".pub.pem"
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


@dataclass(frozen=True)
class KeyPair:
    """A key on disk, without its secret: whose it is, its id, its public half (64 hexadecimal digits), its file."""

    party: str
    key_id: str
    public: str
    path: Path
    encrypted: bool


class Private(Protocol):
    """A private half: here, or in a place that never gives it away."""

    def public_key(self) -> Any:
        """The public half: an Ed25519 key, or a P-256 key."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature of ``data``: 64 bytes of Ed25519, or ECDSA over SHA-256 in DER."""


@dataclass(frozen=True, eq=False)
class Signer:
    """A private key that is ready to sign for a party."""

    party: str
    _private: Private = field(repr=False)

    @property
    def public(self) -> str:
        """The public half in hexadecimal digits: what the charter lists."""
        return hex_of(self._private.public_key())

    @property
    def key_id(self) -> str:
        """SHA-256 of the raw public bytes."""
        public = self._private.public_key()
        return key_id(hex_of(public), P256 if isinstance(public, EllipticCurvePublicKey) else ED25519)

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``."""
        return self._private.sign(message)


def scheme_of(public: str) -> str:
    """The scheme in which a key signs, by how long its public half is."""
    return P256 if len(public) == 2 * _BYTES[P256] else ED25519


def public_half(public: str) -> Ed25519PublicKey | EllipticCurvePublicKey:
    """The public half of these hexadecimal digits; ``ValueError`` for what is none."""
    if scheme_of(public) == P256:
        return public_point(public)
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))


def key_id(public: str, scheme: str = ED25519) -> str:
    """The id of the key whose public half is ``public``; ``ValueError`` where that is no key of the scheme."""
    raw = bytes.fromhex(public)
    if len(raw) != _BYTES[scheme]:
        raise ValueError(f"A public key of {scheme} has {_BYTES[scheme]} bytes.")
    if scheme == P256:
        public_point(public)
    return sha256(raw).hexdigest()


@lru_cache(maxsize=256)
def _public_key(public: str) -> bytes:
    return bytes(VerifyKey(bytes.fromhex(public)))


@lru_cache(maxsize=256)
def public_point(public: str) -> EllipticCurvePublicKey:
    """The P-256 key of an uncompressed point; ``ValueError`` where it lies on no such curve."""
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes.fromhex(public))


def signature_holds(public: str, signature: bytes, message: bytes, scheme: str = ED25519) -> bool:
    """Whether ``signature`` is the signature of ``message`` by the key ``public``, in its scheme and no other.

    Ed25519 is libsodium's: it needs half of OpenSSL's time, and refuses keys of small order, for which anyone signs.
    """
    try:
        if scheme == P256:
            public_point(public).verify(signature, message, ECDSA(SHA256()))
        else:
            if len(signature) != crypto_sign_BYTES:
                return False
            crypto_sign_open(signature + message, _public_key(public))
    except (InvalidSignature, BadSignatureError, ValueError):
        return False
    return True


def new_key(folder: Path, party: str, passphrase: str | None = None) -> KeyPair:
    """Make a key for ``party`` in ``folder``. Its public half goes into the charter, its private half nowhere else.

    Raises ``LedgerError`` for a party id that can't name a file, and where the folder can't be written.
    """
    if not _PARTY.match(party):
        raise LedgerError("ledger.party_name", party=party)
    if passphrase == "":
        raise LedgerError("ledger.passphrase_empty", party=party)
    private = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    public = hex_of(private.public_key())
    stem = f"{party}.{key_id(public)[:16]}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / f"{stem}.pem", private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption), 0o600)
        shown = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write(folder / f"{stem}{_PUBLIC}", shown, 0o644)
    except OSError as error:
        raise LedgerError("ledger.key_write", path=folder, error=error.strerror) from error
    return KeyPair(party, key_id(public), public, folder / f"{stem}.pem", passphrase is not None)


def list_keys(folder: Path) -> tuple[KeyPair, ...]:
    """The keys in ``folder``, by party; no passphrase is needed. Public halves without a private one are left out."""
    found = []
    for path in sorted(folder.glob(f"*{_PUBLIC}")):
        stem = path.name.removesuffix(_PUBLIC)
        private = folder / f"{stem}.pem"
        if not private.is_file():
            continue
        try:
            public = load_pem_public_key(path.read_bytes())
            encrypted = private.read_bytes().startswith(_ENCRYPTED)
        except OSError as error:
            raise LedgerError("ledger.key_read", path=path, error=error.strerror) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise LedgerError("ledger.key_format", path=path) from error
        if not isinstance(public, Ed25519PublicKey):
            raise LedgerError("ledger.key_format", path=path)
        found.append(KeyPair(stem.rpartition(".")[0], key_id(hex_of(public)), hex_of(public), private, encrypted))
    return tuple(found)


def load_signer(pair: KeyPair, passphrase: str | None = None) -> Signer:
    """The signer of a key on disk.

    Raises ``LedgerError`` where the file is missing, damaged, readable by others, or the passphrase doesn't open it.
    """
    path = pair.path
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise LedgerError("ledger.key_mode", path=path)
        pem = path.read_bytes()
    except OSError as error:
        raise LedgerError("ledger.key_read", path=path, error=error.strerror) from error
    encrypted = pem.startswith(_ENCRYPTED)
    if encrypted and not passphrase:
        raise LedgerError("ledger.passphrase_needed", path=path)
    # NOTE: errors of the library are not chained: what they say about a damaged secret is nobody's business.
    try:
        private = load_pem_private_key(pem, passphrase.encode() if encrypted and passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LedgerError("ledger.passphrase_wrong" if encrypted else "ledger.key_format", path=path) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise LedgerError("ledger.key_format", path=path)
    signer = Signer(pair.party, private)
    if signer.public != pair.public:
        raise LedgerError("ledger.key_mismatch", path=path)
    return signer


def hex_of(public: Ed25519PublicKey | EllipticCurvePublicKey) -> str:
    """The bytes of a public half in hexadecimal digits."""
    if isinstance(public, Ed25519PublicKey):
        return public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()


def _write(path: Path, content: bytes, mode: int) -> None:
    # NOTE: the mode is given at creation: a chmod afterwards would leave a moment in which others can read the file.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
