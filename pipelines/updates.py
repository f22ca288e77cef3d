"""Brings the datasets up to date, month by month, as deliveries of flights arrive."""

from collections.abc import Iterator

import dagster

from assets.inbox import inbox
from ecluse.orchestration.resources import EcluseResource
from pipelines.arrivals import months
from pipelines.datasets import PUBLISHED_CHECKS
from pipelines.published import collected, content

#: What a month of flights goes through.
MONTH = dagster.AssetSelection.assets("raw/flights", "clean/flights", "products/delay_features")
#: What a month needs besides its delivery.
NEEDED = ("clean.airports", "clean.planes", "clean.weather")
#: What is made of all months together.
YEAR = dagster.AssetSelection.assets("products/cancelled_by_carrier", "products/daily_operations")

update_month = dagster.define_asset_job(
    "update_month", selection=MONTH - PUBLISHED_CHECKS, description="Collect, clean and prepare one month of flights"
)
summarise = dagster.define_asset_job(
    "summarise",
    selection=YEAR - PUBLISHED_CHECKS,
    description="Count cancellations by day and by carrier, over all months",
)
train = dagster.define_asset_job(
    "train",
    selection=dagster.AssetSelection.assets("products/delay_predictions") - PUBLISHED_CHECKS,
    description="Train the delay model on the newest release that is open, and publish its predictions",
)

daily = dagster.ScheduleDefinition(
    name="summarise_daily",
    job=summarise,
    cron_schedule="0 6 * * *",
    default_status=dagster.DefaultScheduleStatus.RUNNING,
    description="Every day at 6 UTC",
)


@dagster.sensor(
    job=update_month,
    minimum_interval_seconds=30,
    default_status=dagster.DefaultSensorStatus.RUNNING,
)
def flights_arrived(ecluse: EcluseResource) -> Iterator[dagster.RunRequest | dagster.SkipReason]:
    """Update each month whose delivery has arrived, or has arrived again with other content."""
    waiting = {month: inbox("flights", f"flights-{month}.csv") for month in months()}
    arrived = {month: file for month, file in waiting.items() if file.is_file()}
    if not arrived:
        yield dagster.SkipReason("No delivery of flights has arrived: python -m pipelines.arrivals 2013-01")
        return
    with ecluse.opened() as services:
        needed = [d for d in NEEDED if not (services.warehouse.exists(d) and services.warehouse.head(d) is not None)]
        known = collected(services, "raw.flights")
    if needed:
        yield dagster.SkipReason(f"Flights need {', '.join(needed)} first: run the job collect.")
        return
    for month, file in arrived.items():
        found = content(file)
        if found not in known:
            # NOTE: one request per content: a delivery that was blocked is not tried again until it changes.
            yield dagster.RunRequest(run_key=f"{month}-{found}", partition_key=month)
