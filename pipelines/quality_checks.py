"""Checks again what is published: its suites, and how old it is. What no longer holds closes the door."""

import dagster

from pipelines.datasets import PUBLISHED_CHECKS

check_published = dagster.define_asset_job(
    "check_published",
    selection=PUBLISHED_CHECKS,
    description="Ask each suite again of what is published, and how old it is",
)

daily = dagster.ScheduleDefinition(
    name="check_published_daily",
    job=check_published,
    cron_schedule="0 7 * * *",
    default_status=dagster.DefaultScheduleStatus.RUNNING,
    description="Every day at 7 UTC, after the updates",
)
