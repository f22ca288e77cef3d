"""What must hold of the cleaned aircraft register."""

import great_expectations as gx
import great_expectations.expectations as gxe

MANUFACTURERS = [
    "AGUSTA",
    "AIRBUS",
    "AMATEUR BUILT",
    "AMERICAN AIRCRAFT",
    "AVIAT AIRCRAFT",
    "AVIONS MARCEL DASSAULT",
    "BEECH",
    "BELL",
    "BOEING",
    "BOMBARDIER",
    "CANADAIR",
    "CESSNA",
    "CIRRUS DESIGN",
    "DEHAVILLAND",
    "DOUGLAS",
    "EMBRAER",
    "GULFSTREAM AEROSPACE",
    "LEARJET",
    "MCDONNELL DOUGLAS",
    "PIPER",
    "ROBINSON HELICOPTER",
    "SIKORSKY",
]

suite = gx.ExpectationSuite(
    "clean.planes",
    expectations=[
        gxe.ExpectColumnValuesToBeInSet(
            column="manufacturer",
            value_set=MANUFACTURERS,
            description="Each manufacturer has one name, none is a person",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="built", min_value=1950, max_value=2013, description="Aircraft were built before they flew"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="seats", min_value=1, max_value=600, description="Seats are plausible"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="engines", min_value=1, max_value=4, description="Engines are plausible"
        ),
    ],
)
