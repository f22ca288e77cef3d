"""What the cleaned airport directory promises."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Airports of the world that have an IATA code",
    columns=(
        Column("iata", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("name", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("city", "VARCHAR", classification=PUBLIC),
        Column("country", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("elevation_ft", "DOUBLE", unit="ft", classification=PUBLIC),
        Column("lat", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("lon", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("tzone", "VARCHAR", nullable=False, classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="MIT",
    legal_basis="published under a licence that allows any use",
    key=("iata",),
)
