"""The code location: every asset, job, schedule and sensor of the reference project."""

import ecluse
from pipelines import collection, people, quality_checks, updates
from pipelines.datasets import ASSETS
from pipelines.resources import resources

defs = ecluse.definitions(
    assets=ASSETS,
    jobs=[
        collection.collect,
        updates.update_month,
        updates.summarise,
        updates.train,
        people.study,
        quality_checks.check_published,
    ],
    schedules=[collection.weekly, updates.daily, people.monthly, quality_checks.daily],
    sensors=[collection.directory_arrived, updates.flights_arrived],
    resources=resources,
)
