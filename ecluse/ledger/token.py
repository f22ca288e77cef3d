"""Keys that never leave their token: a smart card, a YubiKey or an HSM, reached by securesystemslib's PKCS #11 signer.

A token's key is named by a URI, ``hsm:<number>?label=<the token's label>``. The environment variable ``PYKCS11LIB``
names the library of the token's maker.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlparse

from ecluse.errors import LedgerError
from ecluse.ledger.foreign import foreign_errors
from ecluse.ledger.keys import P256, Sign, hex_of, key_id, public_point

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


@dataclass(frozen=True)
class TokenKey:
    """The key on the token that the URI names, which its PIN opens."""

    uri: str
    pin: str | None = field(repr=False)

    def public(self) -> str:
        """The public half in hexadecimal digits; ``LedgerError`` where token or key is missing, or of another kind."""
        with self.errors():
            from securesystemslib.signer import HSMSigner

            asked = urlparse(self.uri)
            label = dict(parse_qsl(asked.query)).get("label")
            _, key = HSMSigner.import_(int(asked.path) if asked.path else None, label, lambda _: self.pin or "")
            if key.scheme != P256:
                raise ValueError(f"its key is one of {key.scheme}")
            return hex_of(_point(key.keyval["public"]))

    def chosen(self, publics: Sequence[str]) -> str:
        """The newest of these keys: whether it lies there is known once it signed."""
        return publics[-1]

    def signer(self, public: str) -> Sign:
        """What signs on the token by the key whose public half this is."""
        from securesystemslib.signer import HSMSigner, SSlibKey

        key = SSlibKey.from_crypto(public_point(public), keyid=key_id(public, P256))
        made = HSMSigner.from_priv_key_uri(self.uri, key, lambda _: self.pin or "")
        return lambda data: bytes.fromhex(made.sign(data).signature)

    def errors(self) -> AbstractContextManager[None]:
        """``LedgerError`` for whatever a token, its library or securesystemslib says."""
        return foreign_errors("ledger.token_package", self._clear)

    def _clear(self, error: Exception) -> LedgerError:
        said = str(error).splitlines()[0] if str(error) and isinstance(error, ValueError) else type(error).__name__
        return LedgerError("ledger.token", uri=self.uri, error=said)


def _point(pem: str) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    found = load_pem_public_key(pem.encode())
    assert isinstance(found, EllipticCurvePublicKey)
    return found
