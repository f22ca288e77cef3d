"""``clean.people``: real people, with a date of birth instead of its three parts."""

import ecluse
import expectations.clean.people


@ecluse.asset(
    "clean.people", ins={"raw": "raw.people"}, guard=expectations.clean.people, grain="row", group_name="clean"
)
def people(raw: ecluse.Table) -> str:
    """Players by id.

    Where day or month of a birth are unknown, so is the date; the year alone is kept beside it. How somebody's life
    ended serves no purpose here and is left out.
    """
    return f"""
        SELECT
            playerID AS player,
            nameFirst AS first_name,
            nameLast AS last_name,
            TRY_CAST(printf('%04d-%02d-%02d', birthYear, birthMonth, birthDay) AS DATE) AS born,
            birthYear AS birth_year,
            birthCountry AS country,
            birthCity AS city,
            weight,
            height,
            bats,
            throws,
            debut
        FROM {raw}
    """
