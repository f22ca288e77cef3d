"""Decides, from the charter and the facts of this moment, whether a release is open: pure, total, with every reason.

Nothing here reads a file, a clock or a database: the same request, charter, facts and time give the same verdict.
"""

from ecluse.gate.approvals import JudgedApproval
from ecluse.gate.book import Book
from ecluse.gate.counting import counting_answers
from ecluse.gate.criteria import JudgedCriterion, shown, wanted
from ecluse.gate.doubts import Doubt, doubts
from ecluse.gate.incidents import Incident, incidents
from ecluse.gate.kill import observed_releases
from ecluse.gate.kpis import Observed, Progress, StandingKpi, standing_kpis
from ecluse.gate.plan import Plan, judge_in, newest_releases, next_phase, plan
from ecluse.gate.readers import covers, held_grants, valid_grants
from ecluse.gate.review import Review, review
from ecluse.gate.risks import Residual, ResidualRisk, residual_risks
from ecluse.gate.unreleased import asks_unreleased, charter_of_hatch, found_personal, unreleased_verdict
from ecluse.gate.verdict import Judgement, judge_release, release_verdict, verdict
from ecluse.gate.waiting import Waiting, waiting

__all__ = [
    "Book",
    "Doubt",
    "Incident",
    "JudgedApproval",
    "JudgedCriterion",
    "Judgement",
    "Observed",
    "Plan",
    "Progress",
    "Residual",
    "ResidualRisk",
    "Review",
    "StandingKpi",
    "Waiting",
    "asks_unreleased",
    "charter_of_hatch",
    "counting_answers",
    "covers",
    "doubts",
    "found_personal",
    "held_grants",
    "incidents",
    "judge_in",
    "judge_release",
    "newest_releases",
    "next_phase",
    "observed_releases",
    "plan",
    "release_verdict",
    "residual_risks",
    "review",
    "shown",
    "standing_kpis",
    "unreleased_verdict",
    "valid_grants",
    "verdict",
    "waiting",
    "wanted",
]
