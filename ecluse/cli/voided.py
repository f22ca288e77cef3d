"""Which answers of people a change of the charter takes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecluse.cli.reading import Reading, book_of
from ecluse.gate import counting_answers
from ecluse.ledger import Log, trust_of
from ecluse.model.charter import Charter


def voided_answers(project: Reading, before: Charter, after: Charter, gates: Sequence[str]) -> list[dict[str, object]]:
    """The approvals and waivers that would still count if the charter had stayed.

    Those are the answers to a gate that is another one now, and those that counted by a role, key or training.
    """
    earlier, now = _as_before(project, before, after), project.project.now()
    lost = counting_answers(earlier.charter, book_of(earlier), now)
    lost -= counting_answers(project.charter, book_of(project), now)
    bound = {phase: before.gate_digest(phase) for phase in gates}
    return [
        {
            "release": ", ".join(sorted(subject.name for subject in signed.fact.subjects)),
            "question": said.get("question") or said.get("criterion"),
            "verdict": said["verdict"],
            "signer": earlier.who(signed),
            "phase": said.get("phase"),
            "until": said["expires"],
            "fact": signed.position,
        }
        for signed in earlier.log.facts(kind="decision")
        if (said := signed.fact.predicate).get("verdict") in ("approved", "waived")
        and (signed.position in lost or said.get("gate_digest") == bound.get(str(said.get("phase")), ""))
        and str(said.get("expires") or "") > now.isoformat()
    ]


def _as_before(project: Reading, before: Charter, after: Charter) -> Reading:
    """The project as it would be read under an earlier charter, with the keys that a demo made on this machine."""
    listed = {key.public for party in after.parties for key in party.keys}
    local = {party.id: [key for key in party.keys if key.public not in listed] for party in project.charter.parties}
    own = {key.public for party in before.parties for key in party.keys}
    counting = replace(
        before,
        parties=tuple(
            replace(party, keys=(*party.keys, *(k for k in local.get(party.id, ()) if k.public not in own)))
            for party in before.parties
        ),
    )
    trust = trust_of(counting)
    return replace(project, charter=counting, trust=trust, log=Log(project.database, trust))
