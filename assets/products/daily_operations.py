"""``products.daily_operations``: flights and cancellations by day."""

import ecluse
import expectations.products.daily_operations


@ecluse.asset(
    "products.daily_operations",
    ins={"flights": "clean.flights"},
    guard=expectations.products.daily_operations,
    grain="group",
    totals={
        "flights": ("count(*)", "sum(flights)"),
        "cancelled": ("count(*) FILTER (status = 'cancelled')", "sum(cancelled)"),
    },
    group_name="products",
)
def daily_operations(flights: ecluse.Table) -> str:
    """Flights and the share of cancelled ones, by day of scheduled departure in New York."""
    return f"""
        SELECT
            timezone('America/New_York', sched_dep_utc)::DATE AS day,
            count(*)::INTEGER AS flights,
            (count(*) FILTER (status = 'cancelled'))::INTEGER AS cancelled,
            (count(*) FILTER (status = 'cancelled')) / count(*) AS cancelled_share
        FROM {flights}
        GROUP BY day
        ORDER BY day
    """
