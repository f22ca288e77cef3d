"""What must hold of the cleaned airlines."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "clean.airlines",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=10, description="The carriers of New York's airports"),
        gxe.ExpectColumnValuesToNotMatchRegex(column="name", regex="^ | $", description="Names have no blanks around"),
    ],
)
