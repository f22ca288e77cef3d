"""What must hold of the aircraft register's delivery."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.planes",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=3_000, description="The register is whole"),
        gxe.ExpectColumnValuesToBeUnique(column="tailnum", description="A tail number belongs to one aircraft"),
        gxe.ExpectColumnValuesToNotMatchRegex(
            column="manufacturer",
            regex=" (AIRCRAFT CO|CO|CORP|CORPORATION|INC|INDUSTRIE|LTD|SPA)$",
            severity="warning",
            description="Manufacturers go by one name; legal forms are taken off when cleaned",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="year", severity="warning", description="The year of building is known; the model copes without"
        ),
    ],
)
