"""What the delay model's features promise."""

from ecluse import Classification, Column, Contract, Freshness

INTERNAL = Classification.INTERNAL
PUBLIC = Classification.PUBLIC

contract = Contract(
    description="One row per flown flight: what was known before it left, and whether it arrived late",
    columns=(
        Column("flight_id", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("time_hour", "TIMESTAMP WITH TIME ZONE", nullable=False, classification=PUBLIC),
        Column("carrier", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("tailnum", "VARCHAR", classification=INTERNAL),
        Column("origin", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("dest", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("month", "INTEGER", nullable=False, classification=PUBLIC),
        Column("weekday", "INTEGER", nullable=False, description="0 is Sunday", classification=PUBLIC),
        Column("hour", "INTEGER", nullable=False, description="Scheduled, in New York", classification=PUBLIC),
        Column("minute", "INTEGER", nullable=False, classification=PUBLIC),
        Column("distance", "INTEGER", nullable=False, unit="mi", classification=PUBLIC),
        Column("plane_age", "INTEGER", unit="years", classification=PUBLIC),
        Column("seats", "INTEGER", classification=PUBLIC),
        Column("temp", "DOUBLE", unit="degF", classification=PUBLIC),
        Column("dewp", "DOUBLE", unit="degF", classification=PUBLIC),
        Column("humid", "DOUBLE", unit="%", classification=PUBLIC),
        Column("wind_speed", "DOUBLE", unit="mph", classification=PUBLIC),
        Column("wind_gust", "DOUBLE", unit="mph", classification=PUBLIC),
        Column("precip", "DOUBLE", unit="in", classification=PUBLIC),
        Column("pressure", "DOUBLE", unit="mbar", classification=PUBLIC),
        Column("visib", "DOUBLE", unit="mi", classification=PUBLIC),
        Column(
            "late",
            "BOOLEAN",
            nullable=False,
            description="The label: arrived more than 15 minutes late; cancelled and diverted flights have none",
            classification=PUBLIC,
        ),
    ),
    owner="data-engineering",
    licence="CC0-1.0 AND MIT",
    legal_basis="published by the US Bureau of Transportation Statistics",
    key=("flight_id",),
    freshness=Freshness(column="time_hour", within="35 days"),
)
