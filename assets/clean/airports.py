"""``clean.airports``: airports by code, repaired from the airport directory."""

import ecluse
import expectations.clean.airports

#: Destinations of New York's flights that the first source leaves out: Puerto Rico and the Virgin Islands.
OVERSEAS = ("BQN", "PSE", "SJU", "STT")

#: Control totals: every airport of the first source is there once, under its own code, besides the added ones.
KEPT = "repair IS DISTINCT FROM 'added'"


@ecluse.asset(
    "clean.airports",
    ins={"raw": "raw.airports", "directory": "clean.airport_directory"},
    guard=expectations.clean.airports,
    grain="group",
    totals={
        "airports": ("count(*)", f"count(*) FILTER ({KEPT})"),
        "airport codes": ("bit_xor(hash(faa))", f"bit_xor(hash(faa)) FILTER ({KEPT})"),
    },
    look_ups={"directory": "raw.faa = directory.iata"},
    group_name="clean",
)
def airports(raw: ecluse.Table, directory: ecluse.Table) -> str:
    """Airports by code.

    Three have coordinates with a wrong sign (one also swapped) that the directory places west of Greenwich; they take
    the directory's place and time zone. Shemya (SYA) lies east in both and stays. Missing time zones come from the
    directory, and so do the destinations overseas.
    """
    overseas = ", ".join(f"'{code}'" for code in OVERSEAS)
    return f"""
        SELECT
            coalesce(raw.faa, directory.iata) AS faa,
            CASE
                WHEN raw.faa IS NULL THEN 'added'
                WHEN raw.lon > 0 AND directory.lon < 0 THEN 'coordinates'
                WHEN raw.tzone IS NULL AND directory.tzone IS NOT NULL THEN 'time zone'
            END AS repair,
            coalesce(raw.name, directory.name) AS name,
            CASE WHEN repair IN ('added', 'coordinates') THEN directory.lat ELSE raw.lat END AS lat,
            CASE WHEN repair IN ('added', 'coordinates') THEN directory.lon ELSE raw.lon END AS lon,
            coalesce(raw.alt::DOUBLE, directory.elevation_ft) AS elevation_ft,
            CASE WHEN repair IS NULL THEN raw.tzone ELSE directory.tzone END AS tzone
        FROM {raw} AS raw
        FULL JOIN {directory} AS directory ON raw.faa = directory.iata
        WHERE raw.faa IS NOT NULL OR directory.iata IN ({overseas})
    """
