"""What the shop's file promises."""

from ecluse import Classification, Column, Contract

contract = Contract(
    description="Orders as the shop writes them",
    columns=(
        Column("order_id", "BIGINT", nullable=False, classification=Classification.INTERNAL),
        Column("customer", "VARCHAR", classification=Classification.PERSONAL),
        Column("ordered_at", "TIMESTAMP WITH TIME ZONE", classification=Classification.INTERNAL),
        Column("amount", "DOUBLE", unit="EUR", classification=Classification.INTERNAL),
    ),
    owner="sales",
    licence="internal use",
    legal_basis="performance of a contract",
    key=("order_id",),
)
