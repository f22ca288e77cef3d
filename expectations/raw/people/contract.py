"""What the delivery of the players promises."""

from ecluse import Classification, Column, Contract, Keep

PERSONAL = Classification.PERSONAL
PUBLIC = Classification.PUBLIC
SENSITIVE = Classification.SENSITIVE

contract = Contract(
    description="Everybody who ever played in a major league, as delivered: real people, many of them alive",
    columns=(
        Column("playerID", "VARCHAR", nullable=False, classification=PERSONAL),
        Column("birthYear", "INTEGER", classification=PERSONAL),
        Column("birthMonth", "INTEGER", classification=PERSONAL),
        Column("birthDay", "INTEGER", classification=PERSONAL),
        Column("birthCountry", "VARCHAR", classification=PERSONAL),
        Column("birthState", "VARCHAR", classification=PERSONAL),
        Column("birthCity", "VARCHAR", classification=PERSONAL),
        Column("deathYear", "INTEGER", classification=SENSITIVE),
        Column("deathMonth", "INTEGER", classification=SENSITIVE),
        Column("deathDay", "INTEGER", classification=SENSITIVE),
        Column("deathCountry", "VARCHAR", classification=SENSITIVE),
        Column("deathState", "VARCHAR", classification=SENSITIVE),
        Column("deathCity", "VARCHAR", classification=SENSITIVE),
        Column("nameFirst", "VARCHAR", classification=PERSONAL),
        Column("nameLast", "VARCHAR", classification=PERSONAL),
        Column("nameGiven", "VARCHAR", classification=PERSONAL),
        Column("weight", "INTEGER", unit="lb", classification=PERSONAL),
        Column("height", "INTEGER", unit="in", classification=PERSONAL),
        Column("bats", "VARCHAR", classification=PUBLIC),
        Column("throws", "VARCHAR", classification=PUBLIC),
        Column("debut", "DATE", classification=PERSONAL),
        Column("finalGame", "DATE", classification=PERSONAL),
        Column("retroID", "VARCHAR", classification=PERSONAL),
        Column("bbrefID", "VARCHAR", classification=PERSONAL),
    ),
    owner="data-engineering",
    # The wheel says MIT, and the readme beside the data CC BY-SA 3.0: what asks for more is followed.
    licence="CC-BY-SA-3.0",
    legal_basis="compiled from what leagues and newspapers published",
    keep=Keep(within="365 days"),
)
