"""What must hold of the delay model's features."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "products.delay_features",
    expectations=[
        gxe.ExpectColumnMeanToBeBetween(
            column="distance", min_value=500, max_value=2000, description="The usual mix of short and long flights"
        ),
        gxe.ExpectColumnDistinctValuesToEqualSet(
            column="late", value_set=[True, False], description="Both answers occur, or nothing can be learned"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="plane_age", min_value=0, max_value=70, description="Aircraft were built before they flew"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="wind_speed", min_value=0, max_value=100, description="No wind above 100 mph was ever measured here"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="temp", mostly=0.95, severity="warning", description="Weather is known for nearly every flight"
        ),
    ],
)
