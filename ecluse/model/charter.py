"""The charter: what the project is for, who answers for it, and what must hold before data opens."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from ecluse.model.canonical import digest
from ecluse.model.facts import KINDS

_STRICT = ConfigDict(extra="forbid")

#: The questions that people answer; a gate may ask others of its own.
DATA_VALID, RESULTS_VALID, SCALE = "data-valid", "results-valid", "scale"

#: The phase that a reader names to look at data that no release holds, or none that is open.
UNRELEASED = "poc"

#: What a criterion can measure, beside ``kpi.<id>`` for a KPI of the charter.
MEASURES = (
    "checks.broken",
    "quarantine.share",
    "suite.stale",
    "freshness.broken",
    "sources.unlicensed",
    "personal.unclassified",
)

#: What software may do with the data, from the least on: show people something, propose what a person then confirms,
#: act by itself while people only watch.
AUTONOMY = ("informs", "proposes", "acts")
Autonomy = Literal["informs", "proposes", "acts"]
Operator = Literal["<=", ">=", "<", ">", "=="]
#: A number that something can be compared with: nothing is ever below .nan, and everything below .inf.
Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]


def _measurable(measure: str) -> str:
    if measure not in MEASURES and not measure.startswith("kpi."):
        raise ValueError(f"{measure!r} is not one of {', '.join(MEASURES)}, kpi.<id>")
    return measure


#: A measure's name; for editors, the names that there are.
Measure = Annotated[
    str,
    AfterValidator(_measurable),
    Field(json_schema_extra={"anyOf": [{"enum": list(MEASURES)}, {"pattern": r"^kpi\."}]}),
]
#: Kinds of facts that a service may attest; for editors, those that there are.
Attested = Annotated[
    tuple[str, ...], Field(json_schema_extra={"items": {"enum": [kind for kind in KINDS if kind != "decision"]}})
]


@dataclass(frozen=True, config=_STRICT)
class Role:
    """A role that a party holds between two dates (until is the first day without it)."""

    name: str
    since: date
    until: date | None = None

    def held(self, day: date) -> bool:
        """Whether the role is held on ``day``."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, config=_STRICT)
class Key:
    """A public key and when it counts; ``revoked`` ends it from that time on.

    ``public`` is hexadecimal: the 32 bytes of an Ed25519 key, or the 65 bytes of a P-256 point, by which a token,
    a key service or an agent signs. ``scheme`` says which.
    """

    public: str
    since: datetime
    until: datetime | None = None
    revoked: datetime | None = None
    scheme: Literal["ed25519", "ecdsa-sha2-nistp256"] = "ed25519"


@dataclass(frozen=True, config=_STRICT)
class Trained:
    """A training that a party completed on a day."""

    training: str
    on: date


@dataclass(frozen=True, config=_STRICT)
class Party:
    """A person or a service, under a random id; names of people live in a directory outside Git and the log.

    ``responsible`` is the person who answers for a service: what that person acknowledges binds the service too, and
    what the service makes counts as that person's own work, which others approve.
    """

    id: str
    roles: tuple[Role, ...] = ()
    keys: tuple[Key, ...] = ()
    attests: Attested = ()
    responsible: str = ""
    trained: tuple[Trained, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Training:
    """What somebody must have learned before a role counts; it is to be done again after ``valid_days``."""

    id: str
    description: str
    roles: tuple[str, ...]
    valid_days: int = Field(default=365, ge=1)

    def valid(self, party: Party, day: date) -> bool:
        """Whether the party's training is valid on ``day``."""
        return any(
            done.training == self.id and done.on <= day < done.on + timedelta(days=self.valid_days)
            for done in party.trained
        )


@dataclass(frozen=True, config=_STRICT)
class Rule:
    """A usage rule that a reader acknowledges before data opens: for some purposes, or for all where none is named.

    A new ``version`` is a new rule: it must be acknowledged again.
    """

    id: str
    version: int
    text: str
    purposes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of what is acknowledged."""
        return digest(self)

    def binds(self, purpose: str) -> bool:
        """Whether the rule is for a purpose."""
        return not self.purposes or purpose in self.purposes


@dataclass(frozen=True, config=_STRICT)
class Purpose:
    """One use of data that is allowed or prohibited.

    ``autonomy`` is what software may do for it: ``informs`` people, ``proposes`` what a person confirms, or ``acts`` by
    itself. A phase opens to no more than its gate says.
    """

    id: str
    description: str
    allowed: bool = True
    datasets: tuple[str, ...] = ()
    autonomy: Autonomy = "informs"


@dataclass(frozen=True, config=_STRICT)
class Kpi:
    """A value the project is measured by; ``better`` says which way is up.

    ``sql`` is one SELECT that gives one number, over the tables that ``over`` names: a table's name in the statement,
    and its dataset. What the release holds is read as it was released, anything else as it is published. A KPI without
    ``sql`` is measured by code of the project, on data that it loaded.
    """

    id: str
    metric: str
    baseline: Number
    target: Number
    by: date
    better: Literal["higher", "lower"] = "higher"
    over: dict[str, str] = Field(default_factory=dict)
    sql: str = ""

    @model_validator(mode="after")
    def _computable(self) -> Kpi:
        if bool(self.sql.strip()) != bool(self.over):
            raise ValueError("sql and over belong together: a statement, and the datasets that it reads")
        return self

    @property
    def definition(self) -> str:
        """SHA-256 of how it is measured: what was measured in another way doesn't count."""
        return digest({"over": self.over, "sql": self.sql})

    def reached(self, value: float) -> bool:
        """Whether a value is as good as the target."""
        return value >= self.target if self.better == "higher" else value <= self.target


@dataclass(frozen=True, config=_STRICT)
class Kill:
    """When the project stops: while the newest observations of a KPI are so, nothing opens to anybody.

    ``releases`` asks for so many releases in a row, each by its newest observation.
    """

    description: str
    kpi: str
    operator: Operator
    value: Number
    releases: int = Field(default=1, ge=1)


@dataclass(frozen=True, config=_STRICT)
class Criterion:
    """One executed condition of a gate: ``measure operator value``.

    Measures: ``checks.broken`` (blocking checks that are not held, over the release's own products),
    ``quarantine.share`` (quarantined over computed rows of the products), ``suite.stale`` (products whose current
    suite is not the one they were checked with), ``freshness.broken`` (products whose newest freshness check isn't
    held; a product never checked counts), ``sources.unlicensed`` (inputs without a licence),
    ``personal.unclassified`` (columns of the products in which personal data was found and that aren't classified as
    personal), ``kpi.<id>`` (newest observation).

    ``releases`` asks for so many consecutive releases of the same products, this one and those before it, which must
    each meet the criterion. ``datasets`` limits it to some products and inputs (``*`` ends a prefix); a KPI is about
    the whole release. A name that nothing published has, and no purpose or grant either, is taken as misspelt: the
    criterion could not be computed, and refuses. Every gate asks that ``checks.broken`` and ``personal.unclassified``
    are 0 for the products of which none of its criteria asks that.
    """

    id: str
    measure: Measure
    operator: Operator
    value: Number
    description: str = ""
    releases: int = Field(default=1, ge=1)
    datasets: tuple[str, ...] = ()


#: What every gate asks, in whatever phase, of each product of which its charter doesn't say how: each file was checked,
#: nothing blocks, and no column holds personal data that isn't classified as such.
ALWAYS = (Criterion("checks", "checks.broken", "==", 0), Criterion("personal-data", "personal.unclassified", "==", 0))
#: What a gate's ``suite: current`` asks.
CURRENT_SUITE = Criterion("suite", "suite.stale", "==", 0, "Every file was last checked with the suite of today")


@dataclass(frozen=True, config=_STRICT)
class Approval:
    """How many people of a role must answer a question with yes."""

    question: str
    role: str
    count: int = Field(default=1, ge=1)


@dataclass(frozen=True, config=_STRICT)
class Gate:
    """What a release needs before it is used in a phase: criteria that are executed, approvals that are signed.

    ``standing_days``: for so long, people may say yes to the patch releases to come too. Such a release opens by itself
    while every criterion is met without a waiver, and contract and suite are those that the people saw. 0: never.
    ``autonomy`` is the most that software may do with the data in this phase.

    ``suite: current`` is the criterion that every file of the products was last checked with the suite that the dataset
    has now, as its newest run or check says: passes of a suite that has changed since count no more.
    """

    phase: str
    criteria: tuple[Criterion, ...] = ()
    approvals: tuple[Approval, ...] = ()
    standing_days: int = Field(default=0, ge=0)
    autonomy: Autonomy = "informs"
    suite: Literal["current"] | None = None

    @model_validator(mode="after")
    def _asks_for_the_current_suite(self) -> Gate:
        if self.suite is None or CURRENT_SUITE in self.criteria:
            return self
        # NOTE: a waiver names a criterion by its id, and would waive both.
        if any(criterion.id == CURRENT_SUITE.id for criterion in self.criteria):
            raise ValueError(f"suite: current has the id {CURRENT_SUITE.id!r}; give the other criterion another one")
        object.__setattr__(self, "criteria", (*self.criteria, CURRENT_SUITE))
        return self


@dataclass(frozen=True, config=_STRICT)
class Grant:
    """What a role may read of a dataset (``*`` ends a prefix) for some purposes, per classification of column.

    A classification that is not listed is dropped, and a column that nobody classified always is. ``generalised``
    shows what the contract's ``generalise`` leaves of a column, and nothing of a column without such a rule.
    ``row_filter`` is an SQL condition over the dataset's columns, without a query of its own. ``unreleased`` lets the
    role look with ``phase="poc"`` at published data that no release holds or that isn't open, people always masked.
    """

    role: str
    datasets: tuple[str, ...]
    purposes: tuple[str, ...]
    columns: dict[
        Literal["public", "internal", "personal", "sensitive"],
        Literal["clear", "generalised", "pseudonym", "null", "drop"],
    ]
    row_filter: str | None = None
    until: date | None = None
    unreleased: bool = False


@dataclass(frozen=True, config=_STRICT)
class Risk:
    """Something that may go wrong, and the checks (``dataset:check name``) that control it."""

    id: str
    description: str
    controls: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, config=_STRICT)
class Charter:
    """Problem, purposes, people, phases, gates, grants, KPIs, risks, rules, trainings.

    ``phases`` are gone through in their order, none is skipped; ``phase`` is the one that the project is in.
    ``log_within_days`` refuses a log to which nothing was added for longer: a copy that stopped. 0: any age will do.
    ``reviewed`` is the day of the last review of all of it; the next is due ``review_every_days`` later.
    """

    project: str
    problem: str
    phase: str
    phases: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    gates: tuple[Gate, ...]
    parties: tuple[Party, ...]
    grants: tuple[Grant, ...] = ()
    kpis: tuple[Kpi, ...] = ()
    risks: tuple[Risk, ...] = ()
    rules: tuple[Rule, ...] = ()
    trainings: tuple[Training, ...] = ()
    kill_criterion: Kill | None = None
    review_every_days: int = Field(default=180, ge=1)
    reviewed: date | None = None
    log_within_days: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _coherent(self) -> Charter:
        from ecluse.model.coherence import mistakes

        if found := tuple(mistakes(self)):
            said = "; ".join(mistake.text() for mistake in found)
            raise PydanticCustomError("incoherent", "{said}", {"said": said, "mistakes": found})
        return self

    @property
    def review_due(self) -> date | None:
        """By when the charter is to be reviewed again; ``None`` where it doesn't say when it last was."""
        return None if self.reviewed is None else self.reviewed + timedelta(days=self.review_every_days)

    def untrained(self, party: Party, role: str, day: date) -> tuple[Training, ...]:
        """The trainings that a role asks for and that the party doesn't have on ``day``."""
        return tuple(t for t in self.trainings if role in t.roles and not t.valid(party, day))

    def gate(self, phase: str) -> Gate | None:
        """The gate in front of a phase, or ``None`` for a phase that the charter doesn't know."""
        return next((g for g in self.gates if g.phase == phase), None)

    def purpose(self, id: str) -> Purpose | None:
        """The purpose of that id, or ``None``."""
        return next((p for p in self.purposes if p.id == id), None)

    def kpi(self, id: str) -> Kpi | None:
        """The KPI of that id, or ``None``."""
        return next((k for k in self.kpis if k.id == id), None)

    def party(self, id: str) -> Party | None:
        """The party of that id, or ``None``."""
        return next((p for p in self.parties if p.id == id), None)

    def gate_digest(self, phase: str) -> str:
        """SHA-256 of what an approval binds: the gate, how the KPIs that it names are measured, and all purposes."""
        gate = self.gate(phase)
        named = {c.measure.removeprefix("kpi.") for c in gate.criteria} if gate else set()
        measured = {kpi.id: kpi.definition for kpi in self.kpis if kpi.id in named}
        return digest({"gate": gate, "kpis": measured, "purposes": self.purposes})
