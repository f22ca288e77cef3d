"""``products.debuts``: how old players were at their first game."""

import ecluse
import expectations.products.debuts


@ecluse.asset(
    "products.debuts",
    ins={"people": "clean.people"},
    guard=expectations.products.debuts,
    grain="row",
    filters={"never_played": "debut IS NULL", "birth_unknown": "birth_year IS NULL"},
    group_name="products",
)
def debuts(people: ecluse.Table) -> str:
    """One row for each player with a first game and a known year of birth."""
    return f"""
        SELECT
            player,
            first_name || ' ' || last_name AS name,
            born,
            country,
            weight,
            debut,
            year(debut) - birth_year AS age
        FROM {people}
        WHERE debut IS NOT NULL AND birth_year IS NOT NULL
    """
