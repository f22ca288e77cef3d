"""What must hold of the cleaned orders."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "clean.orders",
    expectations=[
        gxe.ExpectColumnValuesToBeBetween(
            column="amount", min_value=0, max_value=10_000, severity="critical", description="An order costs something"
        ),
    ],
)
