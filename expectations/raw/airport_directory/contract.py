"""What a release of the airport directory promises."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Airports of the world, one dated release after another, as they came",
    columns=(
        Column("icao", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("iata", "VARCHAR", classification=PUBLIC),
        Column("name", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("city", "VARCHAR", classification=PUBLIC),
        Column("subd", "VARCHAR", classification=PUBLIC),
        Column("country", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("elevation", "DOUBLE", unit="ft", classification=PUBLIC),
        Column("lat", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("lon", "DOUBLE", nullable=False, unit="deg", classification=PUBLIC),
        Column("tz", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("lid", "VARCHAR", classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="MIT",
    legal_basis="published under a licence that allows any use",
)
