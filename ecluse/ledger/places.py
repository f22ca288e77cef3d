"""Keys that stay where they were made, on a token, in a key service or in an SSH agent, and sign there.

A place is named by a URI, whose scheme says of which kind it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ecluse.errors import LedgerError
from ecluse.ledger.agent import AgentKey
from ecluse.ledger.keys import ED25519, P256, Sign, Signer, public_half, scheme_of, signature_holds
from ecluse.ledger.kms import KmsKey
from ecluse.ledger.token import TokenKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Place(Protocol):
    """Where one private key lies."""

    @property
    def uri(self) -> str:
        """What names the place."""

    def public(self) -> str:
        """The public half in hexadecimal digits; ``LedgerError`` where the place or the key is missing."""

    def chosen(self, publics: Sequence[str]) -> str:
        """Which of these keys, the newest last, lies there; ``LedgerError`` where it is known that none does."""

    def signer(self, public: str) -> Sign:
        """What signs there by the key whose public half this is."""

    def errors(self) -> AbstractContextManager[None]:
        """``LedgerError`` for whatever the place and the libraries that reach it say, and no secret in it."""


class _Kind(NamedTuple):
    """A kind of places: made of the URI and of a passphrase, which a token needs, and how its keys may sign."""

    make: Callable[[str, str | None], Place]
    schemes: tuple[str, ...] = (P256,)


#: The kinds of places, by the scheme of their URI.
_KINDS = {
    "awskms": _Kind(lambda uri, _: KmsKey(uri)),
    "hsm": _Kind(TokenKey),
    "ssh-agent": _Kind(lambda uri, _: AgentKey(uri), (ED25519, P256)),
}


@dataclass(frozen=True)
class StayingKey:
    """The private half of ``public`` (hexadecimal digits), in its place."""

    place: Place
    public: str

    def public_key(self) -> Ed25519PublicKey | EllipticCurvePublicKey:
        """The public half."""
        return public_half(self.public)

    def sign(self, data: bytes, /) -> bytes:
        """The signature of ``data``; ``LedgerError`` where the place gives none by this key."""
        with self.place.errors():
            signature = self._sign(data)
        if not signature_holds(self.public, signature, data, scheme_of(self.public)):
            raise LedgerError("ledger.place_other_key", uri=self.place.uri, public=self.public[:16])
        return signature

    @cached_property
    def _sign(self) -> Sign:
        return self.place.signer(self.public)


def place_signer(party: str, uri: str, publics: Sequence[str], passphrase: str | None) -> Signer:
    """The signer of a party one of whose keys, the newest last, lies at ``uri``.

    ``LedgerError`` for another kind of URI, without a token's PIN, and where it is known that none of them lies there.
    """
    place = _place(uri, passphrase)
    if isinstance(place, TokenKey) and not passphrase:
        raise LedgerError("ledger.token_pin", uri=uri)
    return Signer(party, StayingKey(place, place.chosen(publics)))


def public_at(uri: str, passphrase: str | None = None) -> str:
    """The public half of the key at ``uri`` in hexadecimal digits; ``LedgerError`` where place or key is missing."""
    return _place(uri, passphrase).public()


def schemes_at(uri: str) -> tuple[str, ...]:
    """In which schemes a key at ``uri`` may sign."""
    kind = _kind(uri)
    # NOTE: another kind of URI is refused by name once it is asked to sign, and not passed over here.
    return kind.schemes if kind else (P256,)


def _place(uri: str, passphrase: str | None) -> Place:
    kind = _kind(uri)
    if kind is None:
        raise LedgerError("ledger.place_uri", uri=uri)
    return kind.make(uri, passphrase)


def _kind(uri: str) -> _Kind | None:
    return _KINDS.get(uri.partition(":")[0])
