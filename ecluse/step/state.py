"""What travels through a step: what was asked, what each stage found, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ecluse import texts
from ecluse.model.accounting import RowAccounting
from ecluse.model.lineage import ColumnLineage
from ecluse.model.outcome import CheckReport, CheckResult
from ecluse.model.release import DataFile, Input
from ecluse.model.step import StepDefinition

if TYPE_CHECKING:
    from ecluse.engine import Engine
    from ecluse.quality import Checked, GuardedSuite
    from ecluse.sources import Collection
    from ecluse.step.preview import Preview
    from ecluse.step.resolved import Tally
    from ecluse.warehouse import Candidate


class Ending(StrEnum):
    """How a step ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    BLOCKED = "blocked"
    DRY_RUN = "dry_run"


@dataclass(frozen=True)
class StepRequest:
    """One carrying-out of a step.

    ``partition`` is the partition to make; ``input_partitions`` maps a parameter to the partitions of its dataset
    that are read (absent: all). ``arguments`` are further arguments of the user's function (resources, config).
    ``settings`` is the run's configuration; with ``resources`` the function may use what no digest covers.
    ``run_id`` stays the same through the attempts of one run. ``dry_run`` stops before publishing; ``force``
    recomputes what was published from the same inputs. ``candidate`` is the branch of the candidate to publish, where
    nothing is to be computed.
    """

    run_id: str
    partition: str | None = None
    attempt: int = 1
    dagster_run_id: str | None = None
    input_partitions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Any = None
    resources: bool = False
    dry_run: bool = False
    force: bool = False
    candidate: str | None = None


@dataclass(frozen=True)
class Pinned:
    """One input at the version that this step reads: ``sql`` selects exactly its rows."""

    param: str
    dataset: str
    snapshot_id: int
    content: str
    files: tuple[DataFile, ...]
    sql: str
    columns: Mapping[str, str]
    partitions: frozenset[str] | None = None

    @property
    def rows(self) -> int:
        """How many rows are read."""
        return sum(f.rows for f in self.files)

    def as_input(self) -> Input:
        """The input as facts name it."""
        return Input(self.dataset, self.snapshot_id, self.content)


@dataclass(frozen=True)
class Block:
    """One reason why a step doesn't publish: ``key`` names its text under ``step.blocks``.

    A field that is itself a text has one value per language, ``said_en`` and ``said_fr``, and is shown as ``said``.
    """

    key: str
    fields: Mapping[str, str | int | float] = field(default_factory=dict)

    def text(self, lang: str | None = None) -> str:
        """The reason in plain words."""
        ending = f"_{lang or texts.language()}"
        shown = {name.removesuffix(ending): value for name, value in self.fields.items()}
        return texts.fill(f"step.blocks.{self.key}", shown, lang)


@dataclass(frozen=True)
class State:
    """What the stages of one step have found so far. Each stage gives a new one with its own findings added.

    Where the update mode looks at what is published, ``batch`` names the engine's table with the rows that the step
    brings, ``computed_batch`` the one before any was quarantined, and ``tally`` counts what became of them.
    ``split`` says that the candidate holds what remained after rows left. ``reading`` says how the bytes of a source's
    files are read. ``version`` lists the hashes by which the published data is known to be the same or another.
    """

    definition: StepDefinition
    request: StepRequest
    engine: Engine
    suite: GuardedSuite
    inputs: tuple[Pinned, ...] = ()
    collection: Collection | None = None
    given: Any = None
    sql: str | None = None
    reading: str | None = None
    code_version: str = ""
    key: str | None = None
    computed_sql: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    lineage: ColumnLineage | None = None
    candidate: Candidate | None = None
    batch: str | None = None
    computed_batch: str | None = None
    tally: Tally | None = None
    version: tuple[str, ...] | None = None
    computed: int = 0
    checked: Checked | None = None
    report: CheckReport | None = None
    quarantine: Candidate | None = None
    split: bool = False
    quarantined: int = 0
    quarantine_by_check: Mapping[str, int] = field(default_factory=dict)
    accounting: RowAccounting | None = None
    blocks: tuple[Block, ...] = ()
    warnings: tuple[Block, ...] = ()
    ending: Ending | None = None
    previous: Mapping[str, Any] | None = None
    preview: Preview | None = None

    @property
    def driving(self) -> Pinned | None:
        """The input whose rows are accounted for: the first one."""
        return self.inputs[0] if self.inputs else None


@dataclass(frozen=True)
class StepResult:
    """What one step did: how it ended, every check, the accounting, and what was or would be published.

    ``preview`` is what a dry run would change.
    """

    dataset: str
    partition: str | None
    run_id: str
    ending: Ending
    checks: tuple[CheckResult, ...]
    accounting: RowAccounting | None
    rows: int
    quarantined: int
    quarantine_by_check: Mapping[str, int]
    blocks: tuple[Block, ...]
    warnings: tuple[Block, ...]
    snapshot_id: int | None
    data_version: str | None
    code_version: str
    branch: str | None
    columns: Mapping[str, str]
    lineage: ColumnLineage | None
    sql: str | None
    preview: Preview | None = None

    @property
    def published(self) -> bool:
        """Whether what the step stands for is published, by this run or an earlier one."""
        return self.ending in (Ending.PUBLISHED, Ending.UNCHANGED)
