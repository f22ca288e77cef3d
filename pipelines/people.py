"""The second, small pipeline: data about real people, who are shown to nobody more closely than a purpose needs."""

import dagster

from pipelines.datasets import PUBLISHED_CHECKS

study = dagster.define_asset_job(
    "study",
    selection=dagster.AssetSelection.assets("raw/people", "clean/people", "products/debuts") - PUBLISHED_CHECKS,
    description="Collect and clean the players, and compute their ages at the first game",
)

monthly = dagster.ScheduleDefinition(
    name="study_monthly",
    job=study,
    cron_schedule="0 4 1 * *",
    default_status=dagster.DefaultScheduleStatus.RUNNING,
    description="The first of each month at 4 UTC",
)
