"""``products.debuts``: how old players were at their first game."""

import ecluse
import expectations.products.debuts
from expectations.products.debuts.contract import GROUP, REGIONS


@ecluse.asset(
    "products.debuts",
    ins={"people": "clean.people"},
    guard=expectations.products.debuts,
    grain="row",
    filters={"never_played": "debut IS NULL", "birth_unknown": "birth_year IS NULL"},
    group_name="products",
)
def debuts(people: ecluse.Table) -> str:
    """One row for each player with a first game and a known year of birth.

    Who would be in a group of fewer than five who look alike, as coarse as the study sees them, is kept without age,
    country and date of birth.
    """
    region = "".join(f" WHEN '{country}' THEN '{region}'" for country, region in REGIONS.items())
    return f"""
        WITH players AS (
            SELECT
                player,
                first_name || ' ' || last_name AS name,
                born,
                country,
                debut,
                year(debut) - birth_year AS age
            FROM {people}
            WHERE debut IS NOT NULL AND birth_year IS NOT NULL
        ),
        grouped AS (
            SELECT *, count(*) OVER (
                PARTITION BY date_trunc('decade', born), CASE country{region} END, date_trunc('decade', debut), age
            ) AS alike
            FROM players
        )
        SELECT
            player,
            name,
            CASE WHEN alike >= {GROUP} THEN born END AS born,
            CASE WHEN alike >= {GROUP} THEN country END AS country,
            debut,
            CASE WHEN alike >= {GROUP} THEN age END AS age
        FROM grouped
    """
