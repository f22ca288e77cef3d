"""Every guarded dataset of the reference project, and the scheduled checks of what is published of them."""

import dagster

import assets.clean.airlines
import assets.clean.airport_directory
import assets.clean.airports
import assets.clean.flights
import assets.clean.people
import assets.clean.planes
import assets.clean.weather
import assets.products.cancelled_by_carrier
import assets.products.daily_operations
import assets.products.debuts
import assets.products.delay_features
import assets.products.delay_predictions
import assets.raw.airlines
import assets.raw.airport_directory
import assets.raw.airports
import assets.raw.flights
import assets.raw.people
import assets.raw.planes
import assets.raw.weather
from ecluse.orchestration.checks import published_checks
from ecluse.orchestration.registry import step_definitions

ASSETS: tuple[dagster.AssetsDefinition, ...] = (
    assets.raw.flights.flights,
    assets.raw.weather.weather,
    assets.raw.planes.planes,
    assets.raw.airlines.airlines,
    assets.raw.airports.airports,
    assets.raw.airport_directory.airport_directory,
    assets.clean.flights.flights,
    assets.clean.weather.weather,
    assets.clean.planes.planes,
    assets.clean.airlines.airlines,
    assets.clean.airports.airports,
    assets.clean.airport_directory.airport_directory,
    assets.products.delay_features.delay_features,
    assets.products.cancelled_by_carrier.cancelled_by_carrier,
    assets.products.daily_operations.daily_operations,
    assets.products.delay_predictions.delay_predictions,
    assets.raw.people.people,
    assets.clean.people.people,
    assets.products.debuts.debuts,
)

#: The scheduled checks. A step's own checks run within it; these run in a job of their own.
PUBLISHED_CHECKS = dagster.AssetSelection.checks(
    *sorted(key for step in step_definitions(ASSETS).values() for key in published_checks(step).check_keys)
)
