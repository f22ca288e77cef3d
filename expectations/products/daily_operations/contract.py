"""What the daily operations promise."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Flights by day of scheduled departure in New York",
    columns=(
        Column("day", "DATE", nullable=False, classification=PUBLIC),
        Column("flights", "INTEGER", nullable=False, classification=PUBLIC),
        Column("cancelled", "INTEGER", nullable=False, classification=PUBLIC),
        Column("cancelled_share", "DOUBLE", nullable=False, classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Bureau of Transportation Statistics",
    key=("day",),
)
