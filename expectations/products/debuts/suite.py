"""What must hold before anybody studies the ages of players."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "products.debuts",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=19_000, description="Nearly every player is there"),
        gxe.ExpectColumnValuesToBeBetween(
            column="age", min_value=14, max_value=60, description="Nobody plays as a child or in old age"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="age", mostly=0.93, description="Few players had to be hidden because they would stand out"
        ),
        gxe.ExpectColumnMeanToBeBetween(
            column="age", min_value=20, max_value=30, description="The usual age at a first game"
        ),
    ],
)
