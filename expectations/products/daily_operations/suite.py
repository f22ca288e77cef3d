"""What must hold of the daily operations."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "products.daily_operations",
    expectations=[
        gxe.ExpectColumnValuesToBeBetween(
            column="flights", min_value=300, max_value=2000, description="A day has several hundred flights"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="cancelled_share",
            max_value=0.5,
            severity="warning",
            description="Most flights of a day take place; the blizzard of 8 and 9 February was a true exception",
        ),
    ],
)
