"""What must hold of the airports' delivery."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.airports",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=1_000, description="The list is whole"),
        gxe.ExpectColumnValuesToBeUnique(column="faa", description="A code belongs to one airport"),
        gxe.ExpectColumnValuesToBeBetween(
            column="lon",
            max_value=0,
            severity="warning",
            description="American airports lie west of Greenwich; wrong signs are repaired when cleaned",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="tzone", severity="warning", description="The time zone is known; gaps are filled when cleaned"
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="tzone",
            regex="^(America|Pacific)/",
            severity="warning",
            description="American airports keep American time; wrong zones are repaired when cleaned",
        ),
    ],
)
