"""Keys in AWS KMS, the key service of AWS, reached by securesystemslib's signer for it.

A key is named by a URI, ``awskms:<id, ARN or alias>``. Region and credentials are found as AWS's own tools find them:
in the environment, in a profile, or by the role of the machine. None of them is held here.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ecluse.errors import LedgerError
from ecluse.ledger.foreign import foreign_errors
from ecluse.ledger.keys import P256, Sign, hex_of, key_id, public_point

_KIND = ("ECC_NIST_P256", "SIGN_VERIFY")
#: With its own limits, AWS's library waits for minutes for a service that is away.
_LIMITS = {"connect_timeout": 3, "read_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 2}}

_DENIED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "UnrecognizedClientException",
}
_NO_KEY = {"InvalidArnException", "NotFoundException"}
_OTHER_KIND = {"InvalidKeyUsageException", "UnsupportedOperationException"}


@dataclass(frozen=True)
class KmsKey:
    """The key in AWS KMS that the URI names."""

    uri: str

    def public(self) -> str:
        """The public half in hexadecimal digits; ``LedgerError`` where AWS gives none of this kind."""
        with self.errors():
            from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
            from cryptography.hazmat.primitives.serialization import load_der_public_key

            answer = self._client.get_public_key(KeyId=self._id)
            kind = (answer.get("KeySpec") or answer["CustomerMasterKeySpec"], answer["KeyUsage"])
            # NOTE: not securesystemslib's import_: it takes a key on secp256k1 for P-256, and waits for minutes.
            if kind != _KIND:
                raise LedgerError("ledger.kms_kind", uri=self.uri, error=", ".join(kind))
            found = load_der_public_key(answer["PublicKey"])
            assert isinstance(found, EllipticCurvePublicKey)
            return hex_of(found)

    def chosen(self, publics: Sequence[str]) -> str:
        """The newest of these keys: whether it lies there is known once it signed."""
        return publics[-1]

    def signer(self, public: str) -> Sign:
        """What signs in AWS KMS by the key whose public half this is; nothing but a digest goes there."""
        from securesystemslib.signer import AWSSigner, SSlibKey

        made = AWSSigner(self._id, SSlibKey.from_crypto(public_point(public), keyid=key_id(public, P256)))
        made.client = _Calls(self, self._client)
        return lambda data: bytes.fromhex(made.sign(data).signature)

    def errors(self) -> AbstractContextManager[None]:
        """``LedgerError`` for whatever AWS, its library or securesystemslib says."""
        return foreign_errors("ledger.kms_package", self._clear)

    def _clear(self, error: Exception) -> LedgerError:
        # NOTE: the code alone: AWS's own words name who asks, and may repeat the whole request with its session token.
        key, code = _meant(error)
        return LedgerError(f"ledger.{key}", uri=self.uri, key=self._id, error=code)

    @property
    def _id(self) -> str:
        return self.uri.partition(":")[2]

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client("kms", config=Config(**_LIMITS))


@dataclass(frozen=True)
class _Calls:
    """AWS's client with errors of ours: securesystemslib logs AWS's own with all that they say."""

    key: KmsKey
    client: Any

    def sign(self, **request: Any) -> Any:
        with self.key.errors():
            return self.client.sign(**request)


def _meant(error: Exception) -> tuple[str, str]:
    """What an error is about, as the end of its text's key, and its code: AWS's own, or the name of its class."""
    from botocore import exceptions as aws

    if isinstance(error, aws.ClientError):
        code = str(error.response.get("Error", {}).get("Code"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code in _DENIED or status in {401, 403}:
            return "kms_denied", code
        if code in _NO_KEY:
            return "kms_no_key", code
        return ("kms_kind" if code in _OTHER_KIND else "kms"), code
    said = type(error).__name__
    if isinstance(error, aws.ParamValidationError):
        return "kms_no_key", said
    if isinstance(error, (aws.ConnectionError, aws.HTTPClientError)):
        return "kms_unreachable", said
    return ("kms_settings" if isinstance(error, (aws.BotoCoreError, ValueError)) else "kms"), said
