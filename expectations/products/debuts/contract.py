"""What the players' debuts promise, and how much of a person each reader sees."""

from ecluse import Classification, Column, Contract, KAnonymity, Keep

INTERNAL = Classification.INTERNAL
PERSONAL = Classification.PERSONAL
PUBLIC = Classification.PUBLIC

#: Where players come from, as coarse as the study of ages needs it; countries of few players have no region.
REGIONS = {
    "USA": "North America",
    "CAN": "North America",
    "Mexico": "North America",
    "D.R.": "Caribbean",
    "P.R.": "Caribbean",
    "Cuba": "Caribbean",
    "Venezuela": "South America",
    "Colombia": "South America",
    "Panama": "Central America",
    "Nicaragua": "Central America",
    "Japan": "Asia",
    "South Korea": "Asia",
    "Taiwan": "Asia",
    "Germany": "Europe",
    "Ireland": "Europe",
    "United Kingdom": "Europe",
}

#: In how large a group of players who look alike everybody disappears.
GROUP = 5

contract = Contract(
    description="How old each player was at the first game, for the study of ages",
    columns=(
        # The id is internal, so that readers without names can still tell players apart.
        Column("player", "VARCHAR", nullable=False, classification=INTERNAL),
        Column("name", "VARCHAR", classification=PERSONAL),
        Column("born", "DATE", classification=PERSONAL, generalise="decade"),
        Column("country", "VARCHAR", classification=PERSONAL, generalise=REGIONS),
        Column("debut", "DATE", nullable=False, classification=PERSONAL, generalise="decade"),
        Column("age", "BIGINT", unit="years", classification=PUBLIC),
    ),
    owner="data-engineering",
    licence="CC-BY-SA-3.0",
    legal_basis="legitimate interest: statistics; no decision about a single person",
    key=("player",),
    k_anonymity=KAnonymity(GROUP, ("born", "country", "debut", "age")),
    keep=Keep(within="365 days"),
)
