"""What must hold of the airlines' delivery."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.airlines",
    expectations=[
        gxe.ExpectColumnValueLengthsToEqual(column="carrier", value=2, description="A carrier code has two characters"),
        gxe.ExpectColumnValuesToBeUnique(column="carrier", description="A carrier code belongs to one airline"),
    ],
)
