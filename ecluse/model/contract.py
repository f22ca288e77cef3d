"""What a dataset promises: its columns, key, owner, licence, classification, freshness and what a failure means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import ConfigDict, field_validator, model_validator
from pydantic.dataclasses import dataclass

from ecluse.model.canonical import digest, plain
from ecluse.model.duration import duration
from ecluse.model.generalise import Generalisation

_STRICT = ConfigDict(extra="forbid")


class Classification(StrEnum):
    """How widely a column's values may be seen; only values of public columns enter records.

    No grant shows an unclassified column: nobody decided yet who may see it.
    """

    UNCLASSIFIED = "unclassified"
    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, config=_STRICT)
class Column:
    """One promised column: its name, DuckDB type, and whether a null is allowed.

    ``generalise`` says what a reader sees of it under a grant of ``generalised``: the start of a ``hour``, ``day``,
    ``month``, ``quarter``, ``year`` or ``decade``; ``band 10``, the lower end of a number's band; ``first 2``
    characters of a text; or a mapping from each text to a coarser one. ``was`` names what the column was called before,
    one name or several, the newest first: what is published under one of them then shows under the new name. Without
    it, a new name is a new column, and the old one is dropped. ``reason`` says why a column is classified as it is
    although its values look like personal data, for example the address of an office.
    """

    name: str
    type: str
    nullable: bool = True
    unit: str | None = None
    classification: Classification = Classification.UNCLASSIFIED
    description: str = ""
    generalise: str | tuple[tuple[str, str], ...] | None = None
    was: str | tuple[str, ...] = ()
    reason: str = ""

    @field_validator("was", mode="before")
    @classmethod
    def _one_name_will_do(cls, was: object) -> object:
        return (was,) if isinstance(was, str) else was

    @field_validator("generalise", mode="before")
    @classmethod
    def _a_mapping_is_pairs(cls, generalise: object) -> object:
        # NOTE: contracts are compared and hashed, which a mapping can't be.
        return tuple(generalise.items()) if isinstance(generalise, Mapping) else generalise

    @model_validator(mode="after")
    def _generalises_its_type(self) -> Column:
        if isinstance(self.generalise, str):
            Generalisation.of(self.generalise, self.type)
        elif self.generalise is not None and self.type.upper() not in ("VARCHAR", "TEXT", "STRING"):
            raise ValueError(f"a mapping generalises texts, and {self.name} is {self.type}")
        return self

    @model_validator(mode="after")
    def _gives_a_reason_for_something(self) -> Column:
        if self.reason and self.classification is Classification.UNCLASSIFIED:
            raise ValueError(f"{self.name} gives a reason for its classification, and no classification")
        return self

    def to_json(self) -> dict[str, Any]:
        """What facts say of the column: what a reader's grant is held against."""
        said = {"name": self.name, "type": self.type, "classification": self.classification.value}
        return said if self.generalise is None else {**said, "generalise": plain(self.generalise)}

    @field_validator("name")
    @classmethod
    def _name_is_ours_to_give(cls, name: str) -> str:
        if not name or name.startswith("_"):
            raise ValueError(
                f"column name {name!r} is empty or starts with an underscore, which Écluse keeps for itself"
            )
        return name


@dataclass(frozen=True, config=_STRICT)
class Freshness:
    """How old the newest value of a time column may be when the published data is checked."""

    column: str
    within: str

    @field_validator("within")
    @classmethod
    def _within_is_aduration(cls, within: str) -> str:
        duration(within)
        return within

    @property
    def age(self) -> timedelta:
        """The largest age allowed."""
        return duration(self.within)


@dataclass(frozen=True, config=_STRICT)
class Keep:
    """How long versions that were published stay readable after newer ones took their place.

    One stays while it is among the newest ``versions``, or stopped being the published one less than ``within`` (``90
    days``) ago. What a release, a legal hold or a candidate needs stays in any case.
    """

    versions: int | None = None
    within: str | None = None

    @model_validator(mode="after")
    def _says_how_long(self) -> Keep:
        if self.versions is None and self.within is None:
            raise ValueError("keep says how many versions, within='90 days', or both")
        if self.versions is not None and self.versions < 1:
            raise ValueError(f"keep needs at least 1 version, the published one, not {self.versions}")
        if self.within is not None:
            duration(self.within)
        return self

    @property
    def age(self) -> timedelta:
        """How long versions stay whatever their number."""
        return timedelta(0) if self.within is None else duration(self.within)


@dataclass(frozen=True, config=_STRICT)
class KAnonymity:
    """That at least ``k`` rows look alike in the columns by which somebody could be recognised, as readers see them.

    A column counts as coarse as its ``generalise`` leaves it, and one without a rule as it is.
    """

    k: int
    columns: tuple[str, ...]

    @model_validator(mode="after")
    def _hides_somebody(self) -> KAnonymity:
        if self.k < 2:
            raise ValueError(f"k is at least 2, not {self.k}: a group of one row hides nobody")
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise ValueError("columns names at least one column, and each once")
        return self


@dataclass(frozen=True, config=_STRICT)
class Contract:
    """What a dataset promises to whoever reads it.

    ``key`` names columns that are together unique and not null. ``on_failure`` says what happens to rows that break
    a critical row-level expectation: the whole step is blocked, or those rows leave for quarantine, as long as they
    are at most ``quarantine_at_most`` (a share of the computed rows, 0 to 1). ``keep`` says how long versions stay that
    newer ones took the place of; without it, only an explicit ``ecluse sweep --expire AGE`` forgets any.
    ``k_anonymity`` says in how large a group everybody must disappear.
    """

    columns: tuple[Column, ...]
    owner: str
    licence: str
    key: tuple[str, ...] = ()
    legal_basis: str | None = None
    description: str = ""
    on_failure: Literal["block", "quarantine"] = "block"
    quarantine_at_most: float | None = None
    freshness: Freshness | None = None
    keep: Keep | None = None
    k_anonymity: KAnonymity | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Contract:
        names = [c.name for c in self.columns]
        if not names:
            raise ValueError("a contract names at least one column")
        if repeated := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"columns named twice: {', '.join(repeated)}")
        earlier = [old for c in self.columns for old in c.was]
        if taken := sorted({n for n in earlier if n in names or earlier.count(n) > 1}):
            raise ValueError(
                f"was= names {', '.join(taken)}, which is a column of this contract, or is named twice: a name can be "
                "given to another column once the renaming is published and its was= is taken out"
            )
        alike = self.k_anonymity.columns if self.k_anonymity else ()
        wanted = [*self.key, *([self.freshness.column] if self.freshness else []), *alike]
        if unknown := [n for n in wanted if n not in names]:
            raise ValueError(
                f"key, freshness or k_anonymity names {', '.join(unknown)}, which is not among the columns "
                f"{', '.join(names)}"
            )
        if (self.on_failure == "quarantine") != (self.quarantine_at_most is not None):
            raise ValueError(
                "on_failure='quarantine' needs quarantine_at_most (for example 0.005), and only then is it allowed"
            )
        if self.quarantine_at_most is not None and not 0 <= self.quarantine_at_most <= 1:
            raise ValueError(f"quarantine_at_most is a share from 0 to 1, not {self.quarantine_at_most}")
        return self

    def column(self, name: str) -> Column:
        """The column of that name; ``KeyError`` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def renamed(self) -> dict[str, tuple[str, ...]]:
        """What columns were called before, by their name of today, the newest first."""
        return {c.name: tuple(c.was) for c in self.columns if c.was}

    @property
    def digest(self) -> str:
        """SHA-256 of what the contract promises of the data.

        How a column was called before, and how long old versions are kept, promise nothing of it.
        """
        said = plain(self)
        del said["keep"]
        for column in said["columns"]:
            del column["was"]
        # NOTE: what isn't promised leaves the digest as it was before anybody could promise it.
        for part, name in ((said, "k_anonymity"), *((column, "reason") for column in said["columns"])):
            if not part[name]:
                del part[name]
        return digest(said)
