"""``raw.flights``: the monthly deliveries of flights."""

import ecluse
import expectations.raw.flights
from assets.inbox import inbox
from assets.partitions import monthly


@ecluse.source("raw.flights", guard=expectations.raw.flights, partitions_def=monthly, group_name="raw")
def flights(partition: str) -> ecluse.Files:
    """Flights that left New York's airports, one CSV file per month."""
    name = f"flights-{partition}.csv"
    return ecluse.Files(inbox("flights", name), format="csv", null=("NA", ""), origin=f"inbox/flights/{name}")
