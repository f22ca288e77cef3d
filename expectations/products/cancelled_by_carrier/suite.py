"""What must hold of the table of flights without a label."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "products.cancelled_by_carrier",
    expectations=[
        gxe.ExpectColumnValuesToNotBeNull(column="name", description="Every carrier is a known airline"),
        gxe.ExpectColumnValuesToBeBetween(
            column="left_out_share",
            max_value=0.05,
            severity="warning",
            description="At most 5 % of a carrier's flights have no label; above, the model knows too little of it",
        ),
    ],
)
