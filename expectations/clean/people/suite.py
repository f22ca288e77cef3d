"""What must hold of the cleaned players."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "clean.people",
    expectations=[
        gxe.ExpectColumnValuesToNotBeNull(
            column="born", mostly=0.97, description="The whole date of birth is known for nearly everybody"
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="debut",
            column_B="born",
            ignore_row_if="either_value_is_missing",
            description="Nobody plays before being born",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="weight", min_value=60, max_value=350, description="Weights are plausible pounds"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="height", min_value=40, max_value=90, description="Heights are plausible inches"
        ),
        gxe.ExpectColumnValuesToBeInSet(column="bats", value_set=["B", "L", "R"], description="Left, right or both"),
    ],
)
