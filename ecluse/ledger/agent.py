"""Keys that an SSH agent holds: OpenSSH's, gpg-agent's, or that of a password manager, which signs for its user.

A key is named by a URI, ``ssh-agent:<comment or fingerprint>``, or by ``ssh-agent:`` alone where the agent holds one
that can sign here. The agent is found as ssh finds it, through ``SSH_AUTH_SOCK``. What it gives is a plain signature
of Ed25519, or of ECDSA over SHA-256 on P-256, as the log has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ecluse.errors import LedgerError
from ecluse.ledger.foreign import foreign_errors
from ecluse.ledger.keys import Sign

if TYPE_CHECKING:
    from paramiko.agent import AgentKey as HeldKey

_ED25519, _P256 = "ssh-ed25519", "ecdsa-sha2-nistp256"


@dataclass(frozen=True)
class AgentKey:
    """The key of the agent that the URI names."""

    uri: str

    def public(self) -> str:
        """The public half in hexadecimal digits; ``LedgerError`` where no key is meant, or several."""
        asked = self.uri.partition(":")[2]
        with self.errors(), self._held() as held:
            meant = [public for public, key in held.items() if asked in ("", key.comment, key.fingerprint)]
            if len(meant) != 1:
                raise LedgerError("ledger.agent_which", uri=self.uri, count=len(meant), known=_shown(held))
            return meant[0]

    def chosen(self, publics: Sequence[str]) -> str:
        """The newest of these keys that the agent holds; ``LedgerError`` where it holds none."""
        with self.errors(), self._held() as held:
            return self._newest(publics, held)

    def signer(self, public: str) -> Sign:
        """What asks the agent to sign with the key whose public half this is."""

        def signed(data: bytes) -> bytes:
            with self._held() as held:
                return _signed(held[self._newest([public], held)], data)

        return signed

    def errors(self) -> AbstractContextManager[None]:
        """``LedgerError`` for whatever the agent or paramiko says."""
        return foreign_errors("ledger.agent_package", self._clear)

    def _clear(self, error: Exception) -> LedgerError:
        return LedgerError("ledger.agent", uri=self.uri, error=str(error) or type(error).__name__)

    def _newest(self, publics: Sequence[str], held: Mapping[str, HeldKey]) -> str:
        found = next((public for public in reversed(publics) if public in held), None)
        if found is None:
            raise LedgerError("ledger.agent_other", uri=self.uri, known=_shown(held))
        return found

    @contextmanager
    def _held(self) -> Iterator[dict[str, HeldKey]]:
        """The agent's keys that can sign here, by their public half, while it is connected."""
        from paramiko.agent import Agent

        with closing(Agent()) as agent:
            keys = [key for key in agent.get_keys() if key.name in (_ED25519, _P256)]
            # NOTE: to paramiko, an agent that isn't there, one that is locked and one without keys are the same.
            if not keys:
                raise LedgerError("ledger.agent_none", uri=self.uri)
            yield {_parts(key.blob)[-1].hex(): key for key in keys}


def _shown(held: Mapping[str, HeldKey]) -> str:
    return ", ".join(f"{key.fingerprint} ({key.comment})" for key in held.values())


def _signed(key: HeldKey, data: bytes) -> bytes:
    from paramiko.message import Message

    kind, signature = _parts(key.sign_ssh_data(data))
    if kind == _ED25519.encode():
        return signature
    pair = Message(signature)
    return encode_dss_signature(pair.get_mpint(), pair.get_mpint())


def _parts(blob: bytes) -> list[bytes]:
    """The strings of which SSH makes a public key or a signature (RFC 4251, section 5)."""
    from paramiko.message import Message

    message, found = Message(blob), []
    while message.get_remainder():
        found.append(message.get_string())
    return found
