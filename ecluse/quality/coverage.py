"""Which of the expectations that GX ships have SQL here, told from the planner's own tables."""

from __future__ import annotations

from ecluse.quality import gx
from ecluse.quality.measures import MEASURES, TABLE_METRICS
from ecluse.quality.predicates import QUESTIONS
from ecluse.quality.types import EXPECTATIONS

#: These find out what they measure only when they are asked: nothing in their class tells.
_DECIDED_WHEN_ASKED = ("expect_column_kl_divergence_to_be_less_than",)
#: These look at more than the batch.
_OTHER_DATA = ("expect_table_row_count_to_equal_other_table", "expect_query_results_to_match_comparison")


def measured_by_ecluse() -> dict[str, bool]:
    """For each expectation that GX registers: whether SQL measures it; otherwise GX itself does."""
    gx.expectations()
    registry = gx.module("great_expectations.expectations.registry")
    found = {}
    for name in sorted(registry.list_registered_expectation_implementations()):
        kind = registry.get_expectation_impl(name)
        # NOTE: the registry is one for the process, and also holds the classes that users define.
        if kind.__module__.startswith("great_expectations.expectations.core"):
            found[name] = _measured(name, getattr(kind, "map_metric", None), getattr(kind, "metric_dependencies", ()))
    return found


def _measured(name: str, row_metric: str | None, metrics: tuple[str, ...]) -> bool:
    if name in _OTHER_DATA:
        return False
    if name in EXPECTATIONS or name in _DECIDED_WHEN_ASKED:
        return True
    if row_metric:
        return row_metric in QUESTIONS
    return bool(metrics) and all(m in MEASURES or m in TABLE_METRICS for m in metrics)
