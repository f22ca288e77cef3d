"""``ecluse approve``, ``reject``, ``waive``, ``withdraw``: a person's signed answers about a release."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.ask import confirm
from ecluse.cli.review import incident_data, show_review
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ecluse.gate import Plan, Review
    from ecluse.model.facts import Fact, SignedFact
    from ecluse.model.release import Manifest
    from ecluse.model.verdict import Reason
    from ecluse.step.releases import Decision
    from ecluse.step.services import Services


#: What speaks against whose yes it is, and not against the yes.
_OF_THE_PERSON = ("approval_wrong_role", "approval_untrained", "approval_by_producer")


def _about(command: Any) -> Any:
    """The arguments that every decision has."""
    for option in (
        pass_session,
        click.option("--yes", is_flag=True, help="Sign without asking; what is signed is shown all the same."),
        click.option(
            "--passphrase", envvar="ECLUSE_PASSPHRASE", help="Opens the key; better given in ECLUSE_PASSPHRASE."
        ),
        click.option("--phase", metavar="ID", help="The phase it is for. Default: the charter's."),
        click.option("--reason", required=True, help="Why, in a sentence that stays in the log."),
        click.option(
            "--as", "party", required=True, metavar="PARTY", help="Who answers: a party of the charter with a key here."
        ),
        click.option("--version", metavar="VERSION", help="The release. Default: the latest."),
        click.argument("dataset"),
    ):
        command = option(command)
    return command


def _until(command: Any) -> Any:
    last = "The last day on which it counts."
    return click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help=last)(command)


@click.command("approve")
@_about
@click.option("--question", required=True, metavar="ID", help="What is answered, for example data-valid.")
@_until
@click.option("--standing", is_flag=True, help="Hold for the patch releases to come too, where the gate allows it.")
def approve(session: Session, question: str, until: datetime, standing: bool, **given: Any) -> None:
    """Say yes to a question about a release.

    What is signed is shown first: the gate, what is new since the last release, what was held back, which incidents
    are open, what is in doubt. The signature binds the release and the gate as they stand now: a change of either needs
    a new answer. An answer that would not count is not signed.

    \b
    Example:
      ecluse approve products.delay_features --version 1.0.0 --question data-valid \\
          --as p-7f3a --reason "Counts agree with the airline's." --until 2027-06-30
    """
    _decide(session, "approved", **given, question=question, expires=_end_of(until), standing=standing)


@click.command("reject")
@_about
@click.option("--question", required=True, metavar="ID", help="What is answered, for example data-valid.")
def reject(session: Session, question: str, **given: Any) -> None:
    """Say no to a question about a release.

    It closes the door in this phase and the later ones, until the same person says yes to the same question.

    \b
    Example:
      ecluse reject products.delay_features --question data-valid --as p-7f3a \\
          --reason "March lacks a week."
    """
    _decide(session, "rejected", **given, question=question)


@click.command("waive")
@_about
@click.option("--criterion", required=True, metavar="ID", help="The criterion of the gate that needn't be met.")
@_until
def waive(session: Session, criterion: str, until: datetime, **given: Any) -> None:
    """Let one criterion go unmet for a release, until a day.

    Only somebody with a role that this gate asks for may. It shows as a warning in every verdict and report.

    \b
    Example:
      ecluse waive clean.orders --criterion freshness --as p-7f3a \\
          --reason "The shop is closed this week." --until 2027-01-10
    """
    _decide(session, "waived", **given, criterion=criterion, expires=_end_of(until))


@click.command("withdraw")
@_about
def withdraw(session: Session, **given: Any) -> None:
    """Take a release back, for every purpose and for ever. Nothing is deleted.

    Any party of the charter may stop a release. A newer release is to be approved anew.

    \b
    Example:
      ecluse withdraw products.delay_features --version 1.0.0 --as p-7f3a \\
          --reason "The label leaks into a column."
    """
    _decide(session, "withdrawn", **given)


def _decide(
    session: Session,
    verdict: Decision,
    *,
    dataset: str,
    version: str | None,
    party: str,
    phase: str | None,
    passphrase: str | None,
    yes: bool,
    **said: Any,
) -> None:
    from ecluse.cli.reading import book_of
    from ecluse.gate import review
    from ecluse.report.evidence import quarantine_of
    from ecluse.step.closure import release_closure
    from ecluse.step.releases import decision, find_release, sign_decision

    with session.services(party, passphrase) as services:
        manifest = find_release(services, dataset, version)
        if manifest is None:
            raise DefinitionError("cli.unknown_release", dataset=dataset, version=version or say("cli.any"))
        phase = phase or services.charter.phase
        fact = decision(services, manifest, verdict, phase=phase, **said)
        facts = list(services.log.facts())
        after = _foreseen(services, manifest, facts, fact, party, phase)
        seen = review(manifest, phase, services.charter, book_of(services, facts=facts), services.project.now())
        held = quarantine_of(release_closure(manifest, facts))
        show_review(seen, held, err=session.json)
        _ask(services, verdict, phase, party, said, yes=yes)
        position = sign_decision(services, services.signer, fact)
    _tell(session, after, seen, held, position, {"verdict": verdict, "party": party, "dataset": dataset, **said})


def _foreseen(
    services: Services, manifest: Manifest, facts: Sequence[SignedFact], fact: Fact, party: str, phase: str
) -> Plan:
    """The release before its gate if the decision stood in the log; ``DefinitionError`` where it would not count."""
    from ecluse.cli.reading import book_of
    from ecluse.gate import plan
    from ecluse.model.facts import SignedFact

    def before_gate(facts: Sequence[SignedFact]) -> Plan:
        return plan(phase, manifest, services.charter, book_of(services, facts=facts), now)

    position, now = services.log.size, services.project.now()
    signed = SignedFact(position, fact, frozenset({services.signer.key_id}))
    after = before_gate([*facts, signed])
    void: list[Reason] = []
    if fact.predicate["verdict"] in ("approved", "waived"):
        void += [reason for reason in after.judged.reasons if reason.key == "withdrawn"]
    if fact.predicate["verdict"] == "approved":
        # NOTE: judged beside no other yes, because where enough people said yes nothing is said of one more.
        others = [one for one in facts if one.fact.predicate.get("verdict") != "approved"]
        own = [r for r in before_gate([*others, signed]).judged.approvals.reasons if r.facts == (position,)]
        let_off = _OF_THE_PERSON if own and _takes_back(fact, party, before_gate(facts)) else ()
        void += [reason for reason in own if reason.key not in let_off]
    if void:
        raise DefinitionError("deciding.void", reasons="".join(f"\n  - {reason.text()}" for reason in void))
    if fact.predicate["verdict"] == "waived":
        _confirm_waiver(after, str(fact.predicate["criterion"]), position, party)
    return after


def _takes_back(fact: Fact, party: str, before: Plan) -> bool:
    """Whether a yes ends the same person's no: who may stop a release may let it go on, and opens nothing by that."""
    return any(
        reason.key == "rejected"
        and (reason.fields["party"], reason.fields["question"]) == (party, fact.predicate["question"])
        for reason in before.judged.reasons
    )


def _confirm_waiver(after: Plan, criterion: str, position: int, party: str) -> None:
    """``DefinitionError`` for a waiver that isn't the one in force, or of a criterion that needs none.

    One that was given beforehand would be seen by nobody until the criterion breaks, by whatever and however far.
    """
    (judged,) = (one for one in after.judged.criteria.judged if one.criterion.id == criterion)
    if judged.met:
        raise DefinitionError("deciding.unneeded_waiver", criterion=criterion, phase=after.phase)
    if judged.waived is None or judged.waived.facts != (position,):
        raise DefinitionError("deciding.void_waiver", party=party)


def _ask(services: Services, verdict: str, phase: str, party: str, said: dict[str, Any], *, yes: bool) -> None:
    from ecluse.report.people import called

    until = f"{said['expires']:%Y-%m-%d}" if said.get("expires") else "–"
    named = {"question": "–", "criterion": "–", **said, "until": until}
    key = "standing" if said.get("standing") else verdict
    click.echo(say(f"deciding.ask.{key}", **named, party=called(services.project, party), phase=phase), err=True)
    if not yes:
        confirm(say("deciding.ask.go"))


def _tell(
    session: Session,
    after: Plan,
    seen: Review,
    held: Mapping[tuple[str, str], int],
    position: int,
    said: dict[str, Any],
) -> None:
    manifest = after.manifest
    if session.json:
        known = ("verdict", "party", "question", "criterion", "standing")
        found = {name: said[name] for name in known if name in said}
        release = {"release": manifest.digest, "version": manifest.version, "phase": after.phase}
        incidents = [incident_data(one) for one in seen.incidents]
        held_back = [{"dataset": of, "check": check, "rows": rows} for (of, check), rows in held.items()]
        told = {"met": after.met, "held": held_back, "incidents": incidents}
        as_json({"position": position, **release, **found, **told})
        return
    name = f"{said['dataset']}@{manifest.version}"
    signed = {"question": "–", "criterion": "–", **said, "name": name, "position": position}
    click.echo(say(f"deciding.signed.{said['verdict']}", **signed))
    if said["verdict"] in ("approved", "waived"):
        place = {"dataset": said["dataset"], "version": manifest.version, "phase": after.phase}
        click.echo(say("deciding.opens" if after.met else "deciding.closed", name=name, **place))


def _end_of(day: datetime) -> datetime:
    return day.replace(hour=23, minute=59, second=59, tzinfo=UTC)
