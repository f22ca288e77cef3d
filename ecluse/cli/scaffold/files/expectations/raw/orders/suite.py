"""What must hold of the shop's file."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.orders",
    expectations=[gxe.ExpectTableRowCountToBeBetween(min_value=1, description="A delivery without orders is a mistake")],
)
