"""The Dagster code location."""

import dagster

import ecluse
from assets.clean import orders as clean_orders
from assets.raw import orders as raw_orders

update = dagster.define_asset_job("update", selection="*", description="Collect and clean the orders.")

defs = ecluse.definitions(
    assets=[raw_orders, clean_orders],
    jobs=[update],
    schedules=[
        dagster.ScheduleDefinition(
            name="every_night", job=update, cron_schedule="0 3 * * *", default_status=dagster.DefaultScheduleStatus.RUNNING
        )
    ],
)
