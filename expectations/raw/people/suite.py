"""What must hold of the players' delivery."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.people",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=20_000, description="The register is whole"),
        gxe.ExpectColumnValuesToBeUnique(column="playerID", description="An id belongs to one person"),
        gxe.ExpectColumnValuesToBeBetween(
            column="birthMonth", min_value=1, max_value=12, description="Months are months"
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="finalGame",
            column_B="debut",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            description="Nobody's last game is before the first",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="birthYear", severity="warning", description="The year of birth is known; early players lack it"
        ),
    ],
)
