"""What the table of flights without a label promises."""

from ecluse import Classification, Column, Contract, Freshness

PUBLIC = Classification.PUBLIC

contract = Contract(
    description="By carrier, the flights that the delay model's label leaves out",
    columns=(
        Column("carrier", "VARCHAR", nullable=False, classification=PUBLIC),
        Column("name", "VARCHAR", classification=PUBLIC),
        Column("flights", "INTEGER", nullable=False, classification=PUBLIC),
        Column("cancelled", "INTEGER", nullable=False, classification=PUBLIC),
        Column("diverted", "INTEGER", nullable=False, classification=PUBLIC),
        Column("labelled", "INTEGER", nullable=False, classification=PUBLIC),
        Column(
            "left_out_share",
            "DOUBLE",
            nullable=False,
            description="Cancelled and diverted over all flights",
            classification=PUBLIC,
        ),
        Column(
            "last_time_hour",
            "TIMESTAMP WITH TIME ZONE",
            nullable=False,
            description="Hour of the last flight that is counted",
            classification=PUBLIC,
        ),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Bureau of Transportation Statistics",
    key=("carrier",),
    freshness=Freshness(column="last_time_hour", within="35 days"),
)
