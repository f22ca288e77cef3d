"""Collects what does not come by month: weather, aircraft, airlines, airports, and the airport directory's releases."""

import dagster

from assets.inbox import inbox
from ecluse.orchestration.resources import EcluseResource
from pipelines.datasets import PUBLISHED_CHECKS
from pipelines.published import collected, content

#: Sources without partitions, and what is cleaned from them.
SELECTION = dagster.AssetSelection.assets(
    "raw/weather",
    "raw/planes",
    "raw/airlines",
    "raw/airports",
    "raw/airport_directory",
    "clean/weather",
    "clean/planes",
    "clean/airlines",
    "clean/airport_directory",
    "clean/airports",
)

collect = dagster.define_asset_job(
    "collect",
    selection=SELECTION - PUBLISHED_CHECKS,
    description="Collect and clean the sources that do not come by month",
)

weekly = dagster.ScheduleDefinition(
    name="collect_weekly",
    job=collect,
    cron_schedule="0 5 * * 1",
    default_status=dagster.DefaultScheduleStatus.RUNNING,
    description="Monday at 5 UTC",
)


@dagster.sensor(
    job=collect,
    minimum_interval_seconds=30,
    default_status=dagster.DefaultSensorStatus.RUNNING,
)
def directory_arrived(ecluse: EcluseResource) -> dagster.RunRequest | dagster.SkipReason:
    """Collect again when a release of the airport directory has arrived."""
    arrived = sorted(inbox("airport_directory").glob("airports-*.csv"))
    if not arrived:
        return dagster.SkipReason("No release of the airport directory has arrived: python -m pipelines.arrivals")
    newest = content(arrived[-1])
    with ecluse.opened() as services:
        if newest in collected(services, "raw.airport_directory"):
            return dagster.SkipReason(f"{arrived[-1].name} was collected.")
    return dagster.RunRequest(run_key=newest)
