"""What must hold of a monthly delivery of flights before anything is made of it."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.flights",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=20_000, description="A month has at least 20,000 flights; fewer is a delivery that was cut off"
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="origin", value_set=["EWR", "JFK", "LGA"], description="Flights leave from New York's airports"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="sched_dep_time", min_value=0, max_value=2359, description="Scheduled departures are times of day"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="dep_time",
            min_value=0,
            max_value=2359,
            severity="warning",
            description="Departures are times of day; midnight written as 2400 is repaired when cleaned",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="arr_time",
            min_value=0,
            max_value=2359,
            severity="warning",
            description="Arrivals are times of day; midnight written as 2400 is repaired when cleaned",
        ),
    ],
)
