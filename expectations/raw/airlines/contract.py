"""What the delivery of the airlines promises."""

from ecluse import Classification, Column, Contract

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Airlines by carrier code, as they came",
    columns=(
        Column("carrier", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("name", "VARCHAR", nullable=False, classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Bureau of Transportation Statistics",
)
