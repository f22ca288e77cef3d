"""What the cleaned airlines promise."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Airlines by carrier code",
    columns=(
        Column("carrier", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("name", "VARCHAR", nullable=False, classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Bureau of Transportation Statistics",
    key=("carrier",),
)
