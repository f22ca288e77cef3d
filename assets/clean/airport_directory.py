"""``clean.airport_directory``: airports of the world that have an IATA code."""

import ecluse
import expectations.clean.airport_directory


@ecluse.asset(
    "clean.airport_directory",
    ins={"raw": "raw.airport_directory"},
    guard=expectations.clean.airport_directory,
    grain="row",
    filters={"no_iata_code": "coalesce(iata, '') = ''"},
    group_name="clean",
)
def airport_directory(raw: ecluse.Table) -> str:
    """Airports by IATA code; landing strips without one serve no flight here."""
    return f"""
        SELECT iata, name, city, country, elevation AS elevation_ft, lat, lon, tz AS tzone
        FROM {raw}
        WHERE iata <> ''
    """
