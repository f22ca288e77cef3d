"""``clean.planes``: aircraft by tail number, each manufacturer under one name."""

import ecluse
import expectations.clean.planes

#: Companies as the register spells them, without the forms that are taken off. Everybody else built one at home.
COMPANIES = (
    "AGUSTA",
    "AMERICAN AIRCRAFT",
    "AVIAT AIRCRAFT",
    "AVIONS MARCEL DASSAULT",
    "BEECH",
    "BELL",
    "BOEING",
    "BOMBARDIER",
    "CANADAIR",
    "CESSNA",
    "CIRRUS DESIGN",
    "DEHAVILLAND",
    "DOUGLAS",
    "EMBRAER",
    "GULFSTREAM AEROSPACE",
    "LEARJET",
    "PIPER",
    "ROBINSON HELICOPTER",
    "SIKORSKY",
)


@ecluse.asset(
    "clean.planes", ins={"raw": "raw.planes"}, guard=expectations.clean.planes, grain="row", group_name="clean"
)
def planes(raw: ecluse.Table) -> str:
    """Aircraft by tail number.

    ``AIRBUS INDUSTRIE`` is Airbus, and three spellings are McDonnell Douglas. Builders who are people go by
    ``AMATEUR BUILT``: their names serve no purpose here.
    """
    companies = ", ".join(f"'{name}'" for name in COMPANIES)
    short = "regexp_replace(manufacturer, ' (CO|CORP|INC|LTD|SPA)$', '')"
    return f"""
        SELECT
            tailnum,
            year AS built,
            type,
            CASE
                WHEN manufacturer IN ('AIRBUS', 'AIRBUS INDUSTRIE') THEN 'AIRBUS'
                WHEN starts_with(manufacturer, 'MCDONNELL DOUGLAS') THEN 'MCDONNELL DOUGLAS'
                WHEN {short} IN ({companies}) THEN {short}
                ELSE 'AMATEUR BUILT'
            END AS manufacturer,
            model,
            engines,
            seats,
            engine
        FROM {raw}
    """
