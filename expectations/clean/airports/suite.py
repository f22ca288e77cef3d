"""What must hold of the cleaned airports."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "clean.airports",
    expectations=[
        gxe.ExpectColumnValuesToBeBetween(
            column="lat",
            min_value=13,
            max_value=72,
            description="American airports lie between Guam and Alaska's north",
        ),
        gxe.ExpectColumnValuesToBeBetween(column="lon", min_value=-180, max_value=180, description="Longitudes exist"),
        gxe.ExpectColumnValuesToBeBetween(
            column="lon",
            max_value=0,
            severity="info",
            description="Airports lie west of Greenwich, but for Shemya (SYA), whose 174 degrees east are true",
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="tzone", regex="^(America|Pacific)/", description="American airports keep American time"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="tzone",
            severity="warning",
            description="Time zones are known, but for Mount Pleasant (LRO), which no source places and no flight uses",
        ),
        gxe.ExpectColumnDistinctValuesToContainSet(
            column="faa", value_set=["BQN", "PSE", "SJU", "STT"], description="The destinations overseas were added"
        ),
    ],
)
