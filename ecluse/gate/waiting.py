"""One inbox: what waits for whom, since when. What the charter asks of people, and what only people can end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from ecluse.gate.approvals import Answer
from ecluse.gate.book import Book, Fields, Record, moment, utc
from ecluse.gate.incidents import answerable, incidents
from ecluse.gate.plan import newest_releases, plan
from ecluse.gate.rules import acknowledged
from ecluse.model.charter import Charter, Party, Rule, Training
from ecluse.model.facts import KINDS
from ecluse.model.verdict import Reason

Kind = Literal["approval", "expiring", "review", "training", "rule", "blocked", "incident"]


@dataclass(frozen=True)
class Waiting:
    """One thing that waits. ``people`` may each end it; empty where the charter knows nobody.

    ``due`` is when it runs out or should have been done, ``fields`` fill in its text and its next command. An incident
    is told by its ``reason``.
    """

    kind: Kind
    people: tuple[str, ...]
    since: datetime
    due: datetime | None = None
    fields: Fields = field(default_factory=dict)
    reason: Reason | None = None


def waiting(charter: Charter, book: Book, now: datetime, within: timedelta = timedelta(days=30)) -> list[Waiting]:
    """Everything that waits, the oldest first; what runs out is told ``within`` this time before."""
    now = utc(now)
    found = [
        *_releases(charter, book, now, within),
        *_trainings(charter, now, within),
        *_rules(charter, book, now),
        *_blocked(charter, book, now),
        *_incidents(charter, book, now),
        *_review(charter, book, now, within),
    ]
    return sorted(found, key=lambda one: one.since)


def _releases(charter: Charter, book: Book, now: datetime, within: timedelta) -> Iterator[Waiting]:
    for record, manifest in newest_releases(book):
        planned = plan(charter.phase, manifest, charter, book, now)
        judged = planned.judged
        if any(reason.key in ("withdrawn", "rejected", "killed") for reason in judged.reasons):
            # NOTE: somebody said no to it; another answer alone would open nothing.
            continue
        release: Fields = {
            "release": manifest.version,
            "datasets": ", ".join(p.dataset for p in manifest.products),
            "dataset": manifest.products[0].dataset,
            "phase": charter.phase,
        }
        unmet = ", ".join(one.criterion.id for one in judged.criteria.judged if one.reasons)
        for approval in judged.approvals.judged:
            asked: Fields = {"question": approval.approval.question, "role": approval.approval.role}
            if approval.missing:
                more: Fields = {"missing": approval.missing, "unmet": unmet}
                yield Waiting("approval", planned.able[approval.approval], record.at, None, release | asked | more)
            for answer in approval.answers:
                yield from _expiring(answer, release | asked, now, within)


def _expiring(answer: Answer, fields: Fields, now: datetime, within: timedelta) -> Iterator[Waiting]:
    expires = moment(answer.record.predicate, "expires")
    if expires is not None and expires - within <= now:
        yield Waiting("expiring", (answer.who,), expires - within, expires, fields)


def _trainings(charter: Charter, now: datetime, within: timedelta) -> Iterator[Waiting]:
    for party in charter.parties:
        held = [role for role in party.roles if role.held(now.date())]
        for training in charter.trainings:
            asking = [role for role in held if role.name in training.roles]
            if not asking or training.valid(party, (now + within).date()):
                continue
            due = _runs_out(training, party)
            since = _midnight(min(role.since for role in asking)) if due is None else due - within
            said: Fields = {"training": training.id, "description": training.description, "party": party.id}
            yield Waiting("training", (party.id,), since, due, said)


def _runs_out(training: Training, party: Party) -> datetime | None:
    done = [one.on for one in party.trained if one.training == training.id]
    return _midnight(max(done) + timedelta(days=training.valid_days)) if done else None


def _rules(charter: Charter, book: Book, now: datetime) -> Iterator[Waiting]:
    """Rules that somebody who may read hasn't acknowledged; for a service, who answers for it does."""
    for rule in charter.rules:
        for party in charter.parties:
            since = _reads(party, rule, charter, now.date())
            if since is not None and not acknowledged(rule, party, book):
                said: Fields = {"rule": rule.id, "version": rule.version, "text": rule.text, "party": party.id}
                yield Waiting("rule", (party.responsible or party.id,), _midnight(since), None, said)


def _reads(party: Party, rule: Rule, charter: Charter, today: date) -> date | None:
    """Since when a party may read for a purpose that a rule binds; ``None`` where it may not."""
    return min(
        (
            role.since
            for role in party.roles
            for grant in charter.grants
            if role.held(today) and grant.role == role.name and any(rule.binds(purpose) for purpose in grant.purposes)
        ),
        default=None,
    )


def _blocked(charter: Charter, book: Book, now: datetime) -> Iterator[Waiting]:
    """Partitions whose newest run published nothing: they wait for the owner whom the contract names."""
    newest: dict[tuple[str, str], Record] = {}
    for record in book.of_kind("run"):
        about = (record.text("dataset"), record.text("partition") or "all")
        newest.pop(about, None)
        if record.here and record.attested("run") and record.text("outcome") in ("blocked", "failed"):
            newest[about] = record
    for (dataset, partition), record in newest.items():
        owner, people = answerable(dataset, charter, book, now)
        said: Fields = {"dataset": dataset, "partition": partition, "owner": owner or "–"}
        yield Waiting("blocked", people, record.at, None, said)


def _incidents(charter: Charter, book: Book, now: datetime) -> Iterator[Waiting]:
    """What stands against published data waits for who answers for it; what stops the project, for everybody."""
    for one in incidents(charter, book, now):
        said: Fields = {"releases": ", ".join(release.name for release in one.releases)}
        said |= {} if one.dataset is None else {"dataset": one.dataset}
        yield Waiting("incident", one.people, one.since, None, said, one.reason)


def _review(charter: Charter, book: Book, now: datetime, within: timedelta) -> Iterator[Waiting]:
    """The next review of the charter; the first is due by the day on which the log begins, where none is named."""
    due = charter.review_due
    if due is None and (begun := [found[0].at for kind in KINDS if (found := book.of_kind(kind))]):
        due = min(begun).date() + timedelta(days=charter.review_every_days)
    if due is not None and _midnight(due) - within <= now:
        yield Waiting("review", (), _midnight(due) - within, _midnight(due), {"due": due.isoformat()})


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
