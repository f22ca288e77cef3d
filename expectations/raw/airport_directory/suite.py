"""What must hold of a release of the airport directory."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "raw.airport_directory",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(min_value=25_000, description="The release is whole"),
        gxe.ExpectColumnValuesToBeUnique(column="icao", description="A code belongs to one airport"),
        gxe.ExpectColumnValuesToBeBetween(column="lat", min_value=-90, max_value=90, description="Latitudes exist"),
        gxe.ExpectColumnValuesToBeBetween(column="lon", min_value=-180, max_value=180, description="Longitudes exist"),
    ],
)
