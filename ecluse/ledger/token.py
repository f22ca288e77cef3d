"""Keys that never leave their token: a smart card, a YubiKey or an HSM, reached by securesystemslib's PKCS #11 signer.

A token's key is named by a URI, ``hsm:<number>?label=<the token's label>``. The environment variable ``PYKCS11LIB``
names the library of the token's maker. The token signs ECDSA over SHA-256 with a P-256 key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlparse

from ecluse.errors import LedgerError
from ecluse.ledger.keys import P256, Signer, hex_of, key_id, public_point, signature_holds

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_SCHEME = "hsm"


@dataclass(frozen=True)
class TokenKey:
    """The private half of ``public`` (hexadecimal digits of the point), on the token that the URI names."""

    uri: str
    public: str
    pin: str = field(repr=False)

    def public_key(self) -> EllipticCurvePublicKey:
        """The public half."""
        return public_point(self.public)

    def sign(self, data: bytes, /) -> bytes:
        """The token's signature of ``data``, in DER; ``LedgerError`` where the token gives none by this key."""
        from securesystemslib.signer import HSMSigner, SSlibKey

        with _errors(self.uri):
            key = SSlibKey.from_crypto(self.public_key(), keyid=key_id(self.public, P256))
            made = HSMSigner.from_priv_key_uri(self.uri, key, lambda _: self.pin).sign(data)
        signature = bytes.fromhex(made.signature)
        if not signature_holds(self.public, signature, data, P256):
            raise LedgerError("ledger.token_other_key", uri=self.uri, public=self.public[:16])
        return signature


def token_signer(party: str, uri: str, public: str, pin: str | None) -> Signer:
    """The signer of a party whose key lies on a token. ``LedgerError`` for another kind of URI, and without a PIN."""
    _confirm_scheme(uri)
    if not pin:
        raise LedgerError("ledger.token_pin", uri=uri)
    return Signer(party, TokenKey(uri, public, pin))


def token_public(uri: str, pin: str | None = None) -> str:
    """The public half of a token's key in hexadecimal digits; ``LedgerError`` where token or key is missing."""
    _confirm_scheme(uri)
    from securesystemslib.signer import HSMSigner

    with _errors(uri):
        asked = urlparse(uri)
        label = dict(parse_qsl(asked.query)).get("label")
        _, key = HSMSigner.import_(int(asked.path) if asked.path else None, label, lambda _: pin or "")
        if key.scheme != P256:
            raise ValueError(f"its key is one of {key.scheme}")
        return hex_of(_point(key.keyval["public"]))


def _point(pem: str) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    found = load_pem_public_key(pem.encode())
    assert isinstance(found, EllipticCurvePublicKey)
    return found


def _confirm_scheme(uri: str) -> None:
    if not uri.startswith(f"{_SCHEME}:"):
        raise LedgerError("ledger.token_uri", uri=uri)


@contextmanager
def _errors(uri: str) -> Iterator[None]:
    """``LedgerError`` for whatever a token, its library or securesystemslib says."""
    try:
        yield
    except LedgerError:
        raise
    except Exception as error:
        # NOTE: all of them, because the makers' libraries raise what they like, and no type is common to it.
        from securesystemslib.exceptions import UnsupportedLibraryError

        if isinstance(error, UnsupportedLibraryError):
            raise LedgerError("ledger.token_package") from error
        # NOTE: not chained: what a maker's library says about a PIN is nobody's business.
        said = str(error).splitlines()[0] if str(error) and isinstance(error, ValueError) else type(error).__name__
        raise LedgerError("ledger.token", uri=uri, error=said) from None
