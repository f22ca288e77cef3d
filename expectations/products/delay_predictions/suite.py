"""What must hold of the delay model's predictions."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "products.delay_predictions",
    expectations=[
        gxe.ExpectColumnValuesToBeBetween(
            column="late_probability", min_value=0, max_value=1, description="Probabilities"
        ),
        gxe.ExpectColumnMeanToBeBetween(
            column="late_probability",
            min_value=0.05,
            max_value=0.6,
            description="The model says neither always nor never",
        ),
        gxe.ExpectColumnValueLengthsToEqual(
            column="model_sha256", value=64, description="The model is named by its hash"
        ),
        gxe.ExpectColumnValueLengthsToEqual(
            column="lock_sha256", value=64, description="The data is named by its lock"
        ),
    ],
)
