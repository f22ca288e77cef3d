"""What the cleaned aircraft register promises."""

from ecluse import Classification, Column, Contract

INTERNAL = Classification.INTERNAL
PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Aircraft by tail number; manufacturers under one name each, and no names of people",
    columns=(
        Column("tailnum", "VARCHAR", nullable=False, classification=INTERNAL),
        Column("built", "INTEGER", description="Year", classification=PUBLIC),
        Column("type", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("manufacturer", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("model", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("engines", "INTEGER", nullable=False, classification=PUBLIC),
        Column("seats", "INTEGER", nullable=False, classification=PUBLIC),
        Column("engine", "VARCHAR", nullable=False, classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Federal Aviation Administration",
    key=("tailnum",),
)
