"""What the delivery of the weather promises."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Hourly weather at New York's airports, as it came",
    columns=(
        Column("origin", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("year", "INTEGER", nullable=False, classification=PUBLIC),
        Column("month", "INTEGER", nullable=False, classification=PUBLIC),
        Column("day", "INTEGER", nullable=False, classification=PUBLIC),
        Column("hour", "INTEGER", nullable=False, classification=PUBLIC),
        Column("temp", "DOUBLE", unit="degF", classification=PUBLIC),
        Column("dewp", "DOUBLE", unit="degF", classification=PUBLIC),
        Column("humid", "DOUBLE", unit="%", classification=PUBLIC),
        Column("wind_dir", "INTEGER", unit="deg", classification=PUBLIC),
        Column("wind_speed", "DOUBLE", unit="mph", classification=PUBLIC),
        Column("wind_gust", "DOUBLE", unit="mph", classification=PUBLIC),
        Column("precip", "DOUBLE", unit="in", classification=PUBLIC),
        Column("pressure", "DOUBLE", unit="mbar", classification=PUBLIC),
        Column("visib", "DOUBLE", unit="mi", classification=PUBLIC),
        Column("time_hour", "TIMESTAMP WITH TIME ZONE", nullable=False, classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the Iowa Environmental Mesonet from NOAA's weather stations",
)
