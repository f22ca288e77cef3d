"""What the delay model's predictions promise."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="How likely a flight is late, with the digests of the model and of the data that it was trained on",
    columns=(
        Column("flight_id", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("time_hour", "TIMESTAMP WITH TIME ZONE", nullable=False, classification=PUBLIC),
        Column("carrier", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("late_probability", "DOUBLE", nullable=False, classification=PUBLIC),
        Column("model_sha256", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("lock_sha256", "VARCHAR", nullable=False, classification=PUBLIC),
    ),
    owner="data-science",
    licence="CC0-1.0 AND MIT",
    legal_basis="published by the US Bureau of Transportation Statistics",
    key=("flight_id",),
)
