"""``products.cancelled_by_carrier``: what the delay model's label leaves out."""

import ecluse
import expectations.products.cancelled_by_carrier


@ecluse.asset(
    "products.cancelled_by_carrier",
    ins={"flights": "clean.flights", "airlines": "clean.airlines"},
    guard=expectations.products.cancelled_by_carrier,
    grain="group",
    totals={
        "flights": ("count(*)", "sum(flights)"),
        "cancelled": ("count(*) FILTER (status = 'cancelled')", "sum(cancelled)"),
        "diverted": ("count(*) FILTER (status = 'diverted')", "sum(diverted)"),
        "labelled": ("count(*) FILTER (arr_delay IS NOT NULL)", "sum(labelled)"),
    },
    look_ups={"airlines": "flights.carrier = airlines.carrier"},
    group_name="products",
)
def cancelled_by_carrier(flights: ecluse.Table, airlines: ecluse.Table) -> str:
    """By carrier, the flights that have no label because they were cancelled or diverted."""
    return f"""
        SELECT
            flights.carrier,
            any_value(airlines.name) AS name,
            count(*)::INTEGER AS flights,
            (count(*) FILTER (flights.status = 'cancelled'))::INTEGER AS cancelled,
            (count(*) FILTER (flights.status = 'diverted'))::INTEGER AS diverted,
            (count(*) FILTER (flights.status = 'flown'))::INTEGER AS labelled,
            (count(*) FILTER (flights.status <> 'flown')) / count(*) AS left_out_share,
            max(flights.time_hour) AS last_time_hour
        FROM {flights} AS flights
        LEFT JOIN {airlines} AS airlines ON flights.carrier = airlines.carrier
        GROUP BY flights.carrier
        ORDER BY flights.carrier
    """
