"""What a criterion measures, in words for people."""

from __future__ import annotations

from ecluse import texts
from ecluse.model.charter import Criterion


def measure_text(criterion: Criterion, lang: str | None = None) -> str:
    """The charter's own words for a criterion, or what it measures where the charter has none."""
    if criterion.description:
        return criterion.description
    if criterion.measure.startswith("kpi."):
        return texts.say("report.measure.kpi", lang=lang, kpi=criterion.measure.removeprefix("kpi."))
    return texts.say(f"report.measure.{criterion.measure.replace('.', '_')}", lang=lang)
