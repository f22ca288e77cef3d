"""Proofs about the log that anyone can check with nothing but the proof and a root that they trust."""

from __future__ import annotations

from dataclasses import dataclass

from ecluse.ledger.merkle import verify_consistency, verify_inclusion


@dataclass(frozen=True)
class Inclusion:
    """The proof that a leaf stands at a position of the log of that size and root. All hashes are hexadecimal."""

    position: int
    size: int
    leaf: str
    root: str
    proof: tuple[str, ...]

    def holds(self) -> bool:
        """Whether the proof is right."""
        path = [bytes.fromhex(h) for h in self.proof]
        return verify_inclusion(bytes.fromhex(self.leaf), self.position, self.size, path, bytes.fromhex(self.root))


@dataclass(frozen=True)
class Consistency:
    """The proof that the log of ``size`` extends the one of ``old_size``. All hashes are hexadecimal."""

    old_size: int
    old_root: str
    size: int
    root: str
    proof: tuple[str, ...]

    def holds(self) -> bool:
        """Whether the proof is right."""
        path = [bytes.fromhex(h) for h in self.proof]
        return verify_consistency(
            self.old_size, self.size, path, bytes.fromhex(self.old_root), bytes.fromhex(self.root)
        )
