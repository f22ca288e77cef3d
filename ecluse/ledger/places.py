"""Keys that stay where they were made, on a token or in a key service, and sign there.

A place is named by a URI, whose scheme says of which kind it is. Its key signs ECDSA over SHA-256 on the curve P-256.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ecluse.errors import LedgerError
from ecluse.ledger.keys import P256, Signer, public_point, signature_holds
from ecluse.ledger.kms import KmsKey
from ecluse.ledger.token import TokenKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from securesystemslib.signer import Signer as LibrarySigner


class Place(Protocol):
    """Where one private key lies."""

    @property
    def uri(self) -> str:
        """What names the place."""

    def public(self) -> str:
        """The public half in hexadecimal digits of the point; ``LedgerError`` where the place or the key is missing."""

    def signer(self, public: str) -> LibrarySigner:
        """What signs there by the key whose public half this is."""

    def errors(self) -> AbstractContextManager[None]:
        """``LedgerError`` for whatever the place and the libraries that reach it say, and no secret in it."""


#: The kinds of places, by the scheme of their URI; each is made of the URI and of a passphrase, which a token needs.
_KINDS: dict[str, Callable[[str, str | None], Place]] = {
    "awskms": lambda uri, _: KmsKey(uri),
    "hsm": TokenKey,
}


@dataclass(frozen=True)
class StayingKey:
    """The private half of ``public`` (hexadecimal digits of the point), in its place."""

    place: Place
    public: str

    def public_key(self) -> EllipticCurvePublicKey:
        """The public half."""
        return public_point(self.public)

    def sign(self, data: bytes, /) -> bytes:
        """The signature of ``data``, in DER; ``LedgerError`` where the place gives none by this key."""
        with self.place.errors():
            signature = bytes.fromhex(self._signer.sign(data).signature)
        if not signature_holds(self.public, signature, data, P256):
            raise LedgerError("ledger.place_other_key", uri=self.place.uri, public=self.public[:16])
        return signature

    @cached_property
    def _signer(self) -> LibrarySigner:
        return self.place.signer(self.public)


def place_signer(party: str, uri: str, public: str, passphrase: str | None) -> Signer:
    """The signer of a party whose key lies at ``uri``. ``LedgerError`` for another kind of URI, or without PIN."""
    place = _place(uri, passphrase)
    if isinstance(place, TokenKey) and not passphrase:
        raise LedgerError("ledger.token_pin", uri=uri)
    return Signer(party, StayingKey(place, public))


def public_at(uri: str, passphrase: str | None = None) -> str:
    """The public half of the key at ``uri`` in hexadecimal digits; ``LedgerError`` where place or key is missing."""
    return _place(uri, passphrase).public()


def _place(uri: str, passphrase: str | None) -> Place:
    kind = _KINDS.get(uri.partition(":")[0])
    if kind is None:
        raise LedgerError("ledger.place_uri", uri=uri)
    return kind(uri, passphrase)
