"""A proposed expectation: what it asks, why, and how much it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecluse import texts
from ecluse.quality import gx
from ecluse.quality.profiling.found import ColumnProfile, TableProfile
from ecluse.quality.words import expectation_text

if TYPE_CHECKING:
    from ecluse.quality.gx import Expectation


@dataclass(frozen=True)
class Proposal:
    """One expectation by GX's name for it, with its arguments.

    ``reason`` names why it is proposed, with ``fields``. ``rank`` is higher for what says more. ``severity`` is
    critical for what the data show to be so, and a warning where a bound was guessed around them.
    """

    type: str
    kwargs: Mapping[str, Any]
    reason: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    rank: int = 50
    severity: str = "critical"

    def why(self, lang: str | None = None) -> str:
        """The reason in words."""
        shown = {k: v if isinstance(v, str) else texts.number(v, lang) for k, v in self.fields.items()}
        if "format" in shown:
            shown["format"] = texts.say(f"quality.formats.{shown['format']}", lang=lang)
        text = texts.fill(f"quality.reasons.{self.reason}", shown, lang)
        share = self.kwargs.get("mostly")
        if share is None or self.reason == "mostly":
            return text
        return texts.say(
            "quality.reasons.but_mostly", lang=lang, text=text, share=texts.number(round(share * 100, 1), lang)
        )

    def said(self, lang: str | None = None) -> str:
        """What is asked, in words."""
        return expectation_text(self.type, dict(self.kwargs), lang=lang)

    @property
    def class_name(self) -> str:
        """GX's name of the class.

        >>> Proposal("expect_column_values_to_be_unique", {"column": "id"}, "unique").class_name
        'ExpectColumnValuesToBeUnique'
        """
        return "".join(part.capitalize() for part in self.type.split("_"))

    def expectation(self, lang: str | None = None) -> Expectation:
        """The expectation itself, with its reason as a note."""
        kind = getattr(gx.expectations(), self.class_name)
        return kind(**self.kwargs, severity=self.severity, notes=self.why(lang))


@dataclass(frozen=True)
class Suggestion:
    """A suite that holds on the data it was made from: proposals, those that say most first.

    ``left_out`` are proposals with why they were left out: rows refuted them (``broken``), or nobody could compute them
    (``not_computed``).
    """

    name: str
    table: TableProfile
    proposals: tuple[Proposal, ...]
    left_out: tuple[tuple[Proposal, str], ...] = ()

    def suite(self, lang: str | None = None) -> Any:
        """The ``great_expectations.ExpectationSuite``."""
        note = texts.say("quality.suggested", lang=lang, rows=texts.number(self.table.rows, lang))
        with gx.quiet():
            return gx.module().ExpectationSuite(
                self.name, expectations=[p.expectation(lang) for p in self.proposals], notes=note
            )

    def beside_contract(self) -> tuple[Proposal, ...]:
        """The proposals that a contract with the same columns and key doesn't make already."""
        return tuple(p for p in self.proposals if not self._promised(p))

    @property
    def columns(self) -> tuple[ColumnProfile, ...]:
        """The columns that a contract can name: those with an underscore in front are Écluse's own."""
        return tuple(column for column in self.table.columns if column.name and not column.name.startswith("_"))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that a contract would name as the key; empty where none are."""
        unique = [p for p in self.proposals if p.reason in ("key", "compound")]
        found = next(iter(unique), None)
        if found is None:
            return ()
        columns = tuple(found.kwargs.get("column_list") or (found.kwargs["column"],))
        return columns if self._names(columns) else ()

    def _promised(self, proposal: Proposal) -> bool:
        """Whether a contract says it: its columns, their types, that they are filled, its key."""
        asked = tuple(proposal.kwargs.get("column_list") or (proposal.kwargs.get("column"),))
        if proposal.reason in ("type", "filled"):
            return self._names(asked)
        return proposal.reason == "columns" or (proposal.reason in ("key", "compound") and asked == self.key)

    def _names(self, columns: Sequence[object]) -> bool:
        """Whether a contract can name all of these columns."""
        return {*columns} <= {column.name for column in self.columns}
