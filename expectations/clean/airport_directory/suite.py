"""What must hold of the cleaned airport directory."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "clean.airport_directory",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=7_000, description="Airports with an IATA code"),
        gxe.ExpectColumnValuesToMatchRegex(
            column="iata", regex="^[A-Z]{3}$", description="An IATA code has three letters"
        ),
        gxe.ExpectColumnValuesToMatchRegex(column="tzone", regex="/", description="Time zones are named by place"),
    ],
)
