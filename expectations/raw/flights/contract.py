"""What a monthly delivery of flights promises."""

from ecluse import Classification, Column, Contract, Keep

INTERNAL = Classification.INTERNAL
PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Flights that left New York's airports, one delivery per month, as they came",
    columns=(
        Column("year", "INTEGER", nullable=False, classification=PUBLIC),
        Column("month", "INTEGER", nullable=False, classification=PUBLIC),
        Column("day", "INTEGER", nullable=False, classification=PUBLIC),
        Column("dep_time", "INTEGER", unit="HHMM", classification=PUBLIC),
        Column("sched_dep_time", "INTEGER", nullable=False, unit="HHMM", classification=PUBLIC),
        Column("dep_delay", "INTEGER", unit="min", classification=PUBLIC),
        Column("arr_time", "INTEGER", unit="HHMM", classification=PUBLIC),
        Column("sched_arr_time", "INTEGER", nullable=False, unit="HHMM", classification=PUBLIC),
        Column("arr_delay", "INTEGER", unit="min", classification=PUBLIC),
        Column("carrier", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("flight", "INTEGER", nullable=False, classification=PUBLIC),
        Column("tailnum", "VARCHAR", classification=INTERNAL),
        Column("origin", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("dest", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("air_time", "INTEGER", unit="min", classification=PUBLIC),
        Column("distance", "INTEGER", nullable=False, unit="mi", classification=PUBLIC),
        Column("hour", "INTEGER", nullable=False, classification=PUBLIC),
        Column("minute", "INTEGER", nullable=False, classification=PUBLIC),
        Column("time_hour", "TIMESTAMP WITH TIME ZONE", nullable=False, classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Bureau of Transportation Statistics",
    keep=Keep(within="1826 days"),
)
