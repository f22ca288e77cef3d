"""``clean.weather``: the weather by hour in UTC."""

import ecluse
import expectations.clean.weather


@ecluse.asset(
    "clean.weather", ins={"raw": "raw.weather"}, guard=expectations.clean.weather, grain="row", group_name="clean"
)
def weather(raw: ecluse.Table) -> str:
    """Hourly weather; local hours are left out, since one of them repeats when summer time ends."""
    return f"""
        SELECT origin, time_hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib
        FROM {raw}
    """
