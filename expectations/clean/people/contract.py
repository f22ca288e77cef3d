"""What the cleaned players promise."""

from ecluse import Classification, Column, Contract, Keep

PERSONAL = Classification.PERSONAL
PUBLIC = Classification.PUBLIC

contract = Contract(
    description="Players by id, with a date of birth; nothing about how a life ended",
    columns=(
        Column("player", "VARCHAR", nullable=False, classification=PERSONAL),
        Column("first_name", "VARCHAR", classification=PERSONAL),
        Column("last_name", "VARCHAR", nullable=False, classification=PERSONAL),
        Column("born", "DATE", classification=PERSONAL, generalise="decade"),
        Column("birth_year", "INTEGER", classification=PERSONAL, generalise="band 10"),
        Column("country", "VARCHAR", classification=PERSONAL),
        Column("city", "VARCHAR", classification=PERSONAL),
        Column("weight", "INTEGER", unit="lb", classification=PERSONAL, generalise="band 20"),
        Column("height", "INTEGER", unit="in", classification=PERSONAL, generalise="band 5"),
        Column("bats", "VARCHAR", classification=PUBLIC),
        Column("throws", "VARCHAR", classification=PUBLIC),
        Column("debut", "DATE", classification=PERSONAL, generalise="year"),
    ),
    owner="data-engineering",
    licence="CC-BY-SA-3.0",
    legal_basis="compiled from what leagues and newspapers published",
    key=("player",),
    keep=Keep(within="365 days"),
)
