"""What the cleaned orders promise."""

from ecluse import Classification, Column, Contract, Freshness

contract = Contract(
    description="One row per order",
    columns=(
        Column("order_id", "BIGINT", nullable=False, classification=Classification.INTERNAL),
        Column("customer", "VARCHAR", nullable=False, classification=Classification.PERSONAL),
        Column("ordered_at", "TIMESTAMP WITH TIME ZONE", nullable=False, classification=Classification.INTERNAL),
        Column("day", "DATE", nullable=False, classification=Classification.INTERNAL),
        Column("amount", "DOUBLE", nullable=False, unit="EUR", classification=Classification.INTERNAL),
    ),
    owner="data-engineering",
    licence="internal use",
    legal_basis="performance of a contract",
    key=("order_id",),
    on_failure="quarantine",
    quarantine_at_most=0.2,
    freshness=Freshness(column="ordered_at", within="7 days"),
)
