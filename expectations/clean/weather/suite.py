"""What must hold of the cleaned weather."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "clean.weather",
    expectations=[
        gxe.ExpectColumnValuesToBeBetween(
            column="wind_speed", min_value=0, max_value=100, description="No wind above 100 mph was ever measured here"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="temp", min_value=-20, max_value=120, description="Air is not that cold or hot"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="humid", min_value=0, max_value=100, description="Humidity is a percentage"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="wind_dir", min_value=0, max_value=360, description="Directions are degrees"
        ),
    ],
)
