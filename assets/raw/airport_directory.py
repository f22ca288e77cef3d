"""``raw.airport_directory``: the newest release of the package airportsdata that has arrived."""

import ecluse
import expectations.raw.airport_directory
from assets.inbox import inbox


@ecluse.source("raw.airport_directory", guard=expectations.raw.airport_directory, group_name="raw")
def airport_directory() -> ecluse.Files:
    """Airports of the world; each dated release replaces the one before, which the table's history keeps."""
    arrived = sorted(inbox("airport_directory").glob("airports-*.csv"))
    # NOTE: with nothing there, the name of what is awaited gives the error about a missing file.
    newest = arrived[-1] if arrived else inbox("airport_directory", "airports-<release>.csv")
    return ecluse.Files(newest, format="csv", null=("",), origin=f"inbox/airport_directory/{newest.name}")
