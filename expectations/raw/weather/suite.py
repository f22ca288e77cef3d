"""What must hold of the weather's delivery."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.weather",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=20_000, description="A year at three airports, nearly every hour"),
        gxe.ExpectColumnValuesToBeInSet(
            column="origin", value_set=["EWR", "JFK", "LGA"], description="Stations are New York's airports"
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["origin", "year", "month", "day", "hour"],
            severity="warning",
            description="Local hours are unique; one repeats when summer time ends, so cleaned weather counts in UTC",
        ),
    ],
)
