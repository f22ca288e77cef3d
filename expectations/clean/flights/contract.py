"""What the cleaned flights promise."""

from ecluse import Classification, Column, Contract, Freshness, Keep

INTERNAL = Classification.INTERNAL
PUBLIC = Classification.PUBLIC

contract = Contract(
    description="One row per scheduled flight; cancelled flights have no times",
    columns=(
        Column(
            "flight_id",
            "VARCHAR",
            nullable=False,
            description="Scheduled hour in UTC, carrier, flight number, origin",
            classification=PUBLIC,
        ),
        Column("time_hour", "TIMESTAMP WITH TIME ZONE", nullable=False, classification=PUBLIC),
        Column("carrier", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("flight", "INTEGER", nullable=False, classification=PUBLIC),
        Column("tailnum", "VARCHAR", classification=INTERNAL),
        Column("origin", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("dest", "VARCHAR", nullable=False, classification=PUBLIC),
        Column(
            "status",
            "VARCHAR",
            nullable=False,
            description="flown, cancelled (never left) or diverted (left, and did not arrive as planned)",
            classification=PUBLIC,
        ),
        Column("sched_dep_utc", "TIMESTAMP WITH TIME ZONE", nullable=False, classification=PUBLIC),
        Column("dep_utc", "TIMESTAMP WITH TIME ZONE", classification=PUBLIC),
        Column(
            "arr_utc",
            "TIMESTAMP WITH TIME ZONE",
            description="Null where the destination's time zone is unknown",
            classification=PUBLIC,
        ),
        Column(
            "dep_hhmm",
            "INTEGER",
            unit="HHMM",
            description="Local time at the origin; midnight is 0",
            classification=PUBLIC,
        ),
        Column(
            "arr_hhmm",
            "INTEGER",
            unit="HHMM",
            description="Local time at the destination; midnight is 0",
            classification=PUBLIC,
        ),
        Column("dep_delay", "INTEGER", unit="min", classification=PUBLIC),
        Column("arr_delay", "INTEGER", unit="min", classification=PUBLIC),
        Column("air_time", "INTEGER", unit="min", classification=PUBLIC),
        Column(
            "block_time",
            "INTEGER",
            unit="min",
            description="From leaving the gate to reaching one",
            classification=PUBLIC,
        ),
        Column("distance", "INTEGER", nullable=False, unit="mi", classification=PUBLIC),
        Column("speed", "DOUBLE", unit="mph", classification=PUBLIC),
        Column(
            "delays_agree",
            "BOOLEAN",
            description="Whether the delays follow from the scheduled and the actual times",
            classification=PUBLIC,
        ),
        Column(
            "plane_known",
            "BOOLEAN",
            description="Whether the tail number is in the register",
            classification=PUBLIC,
        ),
        Column(
            "dest_known",
            "BOOLEAN",
            nullable=False,
            description="Whether the airports' own source has the destination; the directory has the others",
            classification=PUBLIC,
        ),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Bureau of Transportation Statistics",
    key=("flight_id",),
    on_failure="quarantine",
    quarantine_at_most=0.005,
    freshness=Freshness(column="time_hour", within="35 days"),
    keep=Keep(within="1826 days"),
)
