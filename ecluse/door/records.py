"""The project's records as the door reads them: what counts here, and a log that was verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ecluse.door.definitions import Definitions
from ecluse.door.head import log_name, read_head
from ecluse.door.identity import Reader
from ecluse.gate import asks_unreleased, release_verdict, unreleased_verdict, verdict
from ecluse.ledger import Log, LogState, Trust
from ecluse.model.charter import Charter
from ecluse.model.facts import Fact, SignedFact
from ecluse.model.latest import LATEST, latest
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request, Verdict
from ecluse.project import Project
from ecluse.store import Database


@dataclass(frozen=True)
class Records:
    """One project's definitions and facts at one moment: ``state`` is the verified log, and ``facts`` are its facts."""

    definitions: Definitions
    log: Log
    state: LogState
    facts: tuple[SignedFact, ...]

    @classmethod
    def open(cls, definitions: Definitions, *, read_only: bool = False, reader: Reader | None = None) -> Records:
        """Read and verify the whole log; ``IntegrityError`` where it isn't what was signed.

        With a ``reader`` it must extend the log as they saw it last, and no signature is verified again of what they
        verified then.
        """
        database = Database(definitions.project.database_url, read_only=read_only or definitions.foreign)
        log = Log(database, definitions.trust)
        try:
            return cls(definitions, log, *_verified(log, definitions, reader))
        except BaseException:
            database.close()
            raise

    @property
    def project(self) -> Project:
        """The project whose records these are."""
        return self.definitions.project

    @property
    def charter(self) -> Charter:
        """The charter that counts here."""
        return self.definitions.charter

    @property
    def trust(self) -> Trust:
        """The keys that count here."""
        return self.definitions.trust

    def judge_release(self, dataset: str, manifest: Manifest | None, version: str | None, now: datetime) -> Verdict:
        """The verdict about a release, whoever reads it and whatever for."""
        request = Request(
            dataset=dataset,
            version=manifest.version if manifest else version,
            release=manifest.digest if manifest else None,
            purpose="",
            reader=None,
            phase=self.charter.phase,
            project=self.project.name,
            environment=self.project.environment,
        )
        return release_verdict(request, self.charter, self.facts, now, trust=self.trust.parties())

    def close(self) -> None:
        """Give the database's connections back."""
        self.log.database.close()

    def find(self, datasets: Sequence[str], version: str | None) -> Manifest | None:
        """The release of that version that holds all of these datasets; without a version, the latest (see ``latest``).

        A release of this project and environment goes before one of another, which the gate refuses by name.
        """
        if version in (None, LATEST):
            version, here = None, (self.project.name, self.project.environment)
            found = latest((f.fact for f in self.facts if (f.fact.project, f.fact.environment) == here), datasets)
            if found is not None:
                return _manifest_of(found)
        elsewhere = None
        for signed in reversed(self.facts):
            manifest = _manifest_of(signed.fact)
            if manifest is None or (version is not None and manifest.version != version):
                continue
            if not set(datasets) <= {p.dataset for p in manifest.products}:
                continue
            if (manifest.project, manifest.environment) == (self.project.name, self.project.environment):
                return manifest
            elsewhere = elsewhere or manifest
        return elsewhere

    def judge(self, requests: Sequence[Request], manifest: Manifest | None, now: datetime) -> Verdict:
        """One verdict for several datasets of a release: it opens where each of them opens."""
        return judge(requests, manifest, self.charter, self.facts, self.trust, now)


def _verified(log: Log, definitions: Definitions, reader: Reader | None) -> tuple[LogState, tuple[SignedFact, ...]]:
    head = read_head(definitions) if reader else None
    if reader is None or head is None:
        return log.verified_facts()
    head.confirm(log, log_name(definitions))
    seen, own = head.checkpoint, head.verified_by(reader, definitions.trust)
    return log.verified_facts(against=[seen], vouched=seen if own else None)


def judge(
    requests: Sequence[Request],
    manifest: Manifest | None,
    charter: Charter,
    facts: Sequence[SignedFact],
    trust: Trust,
    now: datetime,
) -> Verdict:
    """One verdict for several datasets, by these facts: it opens where each of them opens.

    ``manifest`` says what is published where unreleased data is asked for; the log knows a release by itself.
    """
    parties = trust.parties()
    found = [
        unreleased_verdict(r, manifest, charter, facts, now, trust=parties)
        if asks_unreleased(r.phase, charter)
        else verdict(r, charter, facts, now, trust=parties)
        for r in requests
    ]
    return Verdict(
        reasons=_once([reason for v in found for reason in v.reasons]),
        warnings=_once([reason for v in found for reason in v.warnings]),
        approvals=tuple(sorted({position for v in found for position in v.approvals})),
    )


def _manifest_of(fact: Fact) -> Manifest | None:
    """The manifest that a fact states; ``None`` where it is no release, or states none."""
    if fact.kind != "release":
        return None
    try:
        return Manifest.from_json(fact.predicate["manifest"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _once(reasons: list[Reason]) -> tuple[Reason, ...]:
    return tuple(reason for i, reason in enumerate(reasons) if reason not in reasons[:i])
