"""The way out of each reason to refuse: the command, or the line of the charter, that changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecluse.cli.gate_table import answer_of, kpi_step, next_steps, step_of
from ecluse.texts import fill, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ecluse.gate import Plan
    from ecluse.model.charter import Charter
    from ecluse.model.verdict import Reason

#: By a reason's key, the text under ``deciding.next`` that says what to try; what must be asked first is in capitals.
WAYS = {
    "purpose_unknown": "purpose_unknown",
    "purpose_prohibited": "purpose_prohibited",
    "purpose_other_dataset": "purpose_other_dataset",
    "gate_unknown": "gate_unknown",
    "phase_ahead": "phase_ahead",
    "phase_skipped": "PHASE",
    "release_missing": "release_list",
    "release_none": "release_create",
    "release_apart": "release_list",
    "release_without_dataset": "release_list",
    "release_other_version": "release_list",
    "release_elsewhere": "release_elsewhere",
    "release_unattested": "release_unattested",
    "withdrawn": "renewed",
    "rejected": "approval",
    **{f"{how}_{measure}": "CRITERION" for how in ("unmet", "not_computed") for measure in (
        "checks_broken", "quarantine_share", "suite_stale", "freshness_broken", "sources_unlicensed",
        "personal_unclassified", "kpi",
    )},
    "unmet_other": "other",
    "not_computed_other": "other",
    "scope_unpublished": "scope",
    "waived": "plan",
    "files_unchecked": "checks_broken",
    "product_empty": "run",
    "check_broken": "corrected",
    "check_broken_by_rows": "corrected",
    "check_not_computed": "corrected",
    "accounting_not_held": "corrected",
    "report_not_held": "corrected",
    "files_unpublished": "renewed",
    "accounting_missing": "renewed",
    "suite_stale": "suite_stale",
    "freshness_unchecked": "freshness_broken",
    "freshness_not_held": "corrected",
    "source_unlicensed": "sources_unlicensed",
    "personal_found": "personal_unclassified",
    "personal_unsought": "checks_broken",
    "personal_not_computed": "checks_broken",
    "loaded_unreleased": "release_create",
    "unreleased_not_allowed": "unreleased_not_allowed",
    "nothing_published": "run",
    "kpi_unobserved": "KPI",
    "kpi_otherwise": "KPI",
    "kill_unmeasured": "KPI",
    "killed": "killed",
    **{f"approval_{why}": "QUESTION" for why in (
        "missing", "other_release", "elsewhere", "unknown_key", "by_producer", "endless", "expired", "future",
        "other_phase", "old_gate", "too_early", "wrong_role", "same_person", "standing_long", "standing_beyond",
        "standing_stopped", "standing_unmet",
    )},
    "approval_untrained": "training",
    "reader_unknown": "reader_unknown",
    "reader_unauthenticated": "reader_unauthenticated",
    "reader_untrained": "training",
    "reader_without_grant": "reader_without_grant",
    "reader_role_ended": "reader_role",
    "reader_role_future": "reader_role",
    "grant_expired": "grant_expired",
    "grant_without_columns": "grant_without_columns",
    "rule_unacknowledged": "rule",
    "review_overdue": "review",
    "earlier_release": "plan",
    "releases_too_few": "release_create",
    "log_too_old": "log_too_old",
    "autonomy_exceeded": "autonomy_exceeded",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What was asked, which fills in the commands.

    ``plans`` holds the release before the gate of its phase and of each phase that was skipped; empty without one.
    """

    charter: Charter
    dataset: str
    version: str
    purpose: str
    phase: str
    reader: str | None
    profile: str
    plans: Mapping[str, Plan]

    def fields(self, reason: Reason) -> dict[str, object]:
        """What fills in a text: what the reason says goes before what was asked."""
        reader = str(reason.fields.get("reader") or self.reader or "PARTY")
        known = self.charter.party(reader)
        return {
            "dataset": self.dataset,
            "version": self.version,
            "purpose": self.purpose,
            "phase": self.phase,
            "profile": self.profile,
            "reader": reader,
            "party": reader,
            "person": (known.responsible if known else "") or reader,
            "services": ", ".join(p.id for p in self.charter.parties if "release" in p.attests) or "–",
            **reason.fields,
        }


def ways_out(reasons: Iterable[Reason], asked: Asked) -> list[str]:
    """The next commands for some reasons, in their order and each once."""
    return list(dict.fromkeys(way for reason in reasons for way in way_out(reason, asked)))


def incident_way(reason: Reason, given: Mapping[str, object]) -> str:
    """What to try for an incident: it is about what is published, whether or not a release holds it."""
    way = "incident" if WAYS[reason.key] == "corrected" else WAYS[reason.key]
    return fill(f"deciding.next.{way}", {**given, **reason.fields})


def way_out(reason: Reason, asked: Asked) -> list[str]:
    """What to try for a reason: one command, or one for each thing that is missing before it is gone."""
    way = WAYS[reason.key]
    if not way.isupper():
        return [fill(f"deciding.next.{way}", asked.fields(reason))]
    if way == "KPI":
        return [kpi_step(str(reason.fields["kpi"]), asked.charter, asked.version)]
    if way == "PHASE":
        skipped = str(reason.fields["skipped"])
        steps = next_steps(asked.plans[skipped], asked.charter) if skipped in asked.plans else []
        return steps or [say("deciding.next.phase", dataset=asked.dataset, skipped=skipped)]
    planned = asked.plans.get(asked.phase)
    if planned is None:
        return []
    if way == "CRITERION":
        criteria = [one for one in planned.judged.criteria.judged if one.criterion.id == reason.fields["criterion"]]
        return [step_of(one, planned.manifest, asked.charter) for one in criteria]
    return [
        answer_of(planned, one)
        for one in planned.judged.approvals.judged
        if one.missing and one.approval.question == reason.fields["question"]
    ]
