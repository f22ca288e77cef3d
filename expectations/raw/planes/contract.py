"""What the delivery of the aircraft register promises."""

from ecluse import Classification, Column, Contract, Keep

INTERNAL = Classification.INTERNAL
PERSONAL = Classification.PERSONAL
PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Aircraft by tail number, as they came; builders of amateur aircraft are people",
    columns=(
        Column("tailnum", "VARCHAR", nullable=False, classification=INTERNAL),
        Column("year", "INTEGER", classification=PUBLIC),
        Column("type", "VARCHAR", classification=PUBLIC),
        Column(
            "manufacturer",
            "VARCHAR",
            description="Names people where an aircraft is home-built",
            classification=PERSONAL,
        ),
        Column("model", "VARCHAR", classification=PUBLIC),
        Column("engines", "INTEGER", classification=PUBLIC),
        Column("seats", "INTEGER", classification=PUBLIC),
        Column("speed", "INTEGER", unit="kn", classification=PUBLIC),
        Column("engine", "VARCHAR", classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC0-1.0",
    legal_basis="published by the US Federal Aviation Administration",
    keep=Keep(within="365 days"),
)
