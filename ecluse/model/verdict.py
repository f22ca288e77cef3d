"""What is asked at the door, and the answer: open or refused, with every reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecluse import texts


@dataclass(frozen=True)
class Request:
    """release × purpose × reader × phase.

    ``release`` is the SHA-256 of a release manifest, or ``None`` where no such version exists. ``reader`` is a
    party's id (``None``: nobody known). ``authenticated`` tells whether a key proved it.
    """

    dataset: str
    version: str | None
    release: str | None
    purpose: str
    reader: str | None
    phase: str
    project: str
    environment: str
    authenticated: bool = False


@dataclass(frozen=True)
class Reason:
    """One reason to refuse: ``key`` names its text under ``gate.reasons``, ``fields`` fill it in.

    ``facts`` are the log positions that make the reason; empty where an absence makes it. A field that is itself a text
    has one value per language, ``said_en`` and ``said_fr``, and is shown as ``said``.
    """

    key: str
    fields: dict[str, str | int | float] = field(default_factory=dict)
    facts: tuple[int, ...] = ()

    def text(self, lang: str | None = None) -> str:
        """The reason in words that a non-engineer understands."""
        ending = f"_{lang or texts.language()}"
        shown = {name.removesuffix(ending): value for name, value in self.fields.items()}
        return texts.fill(f"gate.reasons.{self.key}", shown, lang)


@dataclass(frozen=True)
class Verdict:
    """Whether the door opens. ``reasons`` is complete, and empty exactly when it opens."""

    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...] = ()
    approvals: tuple[int, ...] = ()

    @property
    def opens(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons
