"""``products.delay_features``: what was known of each flown flight before it left, and whether it arrived late."""

import ecluse
import expectations.products.delay_features
from assets.partitions import monthly

#: The carriers of 2013 by code.
CARRIERS = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
#: Why a flight has no label. Cancellations are named by carrier, so that every release sheet shows whose flights the
#: model never learns from.
LEFT_OUT = {
    **{f"cancelled, {carrier}": f"status = 'cancelled' AND carrier = '{carrier}'" for carrier in CARRIERS},
    "cancelled, other carriers": "status = 'cancelled'",
    "diverted": "status = 'diverted'",
}


@ecluse.asset(
    "products.delay_features",
    ins={"flights": "clean.flights", "planes": "clean.planes", "weather": "clean.weather"},
    guard=expectations.products.delay_features,
    grain="row",
    filters=LEFT_OUT,
    look_ups={
        "planes": "flights.tailnum = planes.tailnum",
        "weather": "flights.origin = weather.origin AND flights.time_hour = weather.time_hour",
    },
    partitions_def=monthly,
    group_name="products",
)
def delay_features(flights: ecluse.Table, planes: ecluse.Table, weather: ecluse.Table) -> str:
    """One row per flown flight. Nothing is in it that is only known after the departure, but for the label."""
    return f"""
        SELECT
            flights.flight_id,
            flights.time_hour,
            flights.carrier,
            flights.tailnum,
            flights.origin,
            flights.dest,
            month(timezone('America/New_York', flights.time_hour))::INTEGER AS month,
            dayofweek(timezone('America/New_York', flights.time_hour))::INTEGER AS weekday,
            hour(timezone('America/New_York', flights.sched_dep_utc))::INTEGER AS hour,
            minute(flights.sched_dep_utc)::INTEGER AS minute,
            flights.distance,
            year(flights.time_hour)::INTEGER - planes.built AS plane_age,
            planes.seats,
            weather.temp,
            weather.dewp,
            weather.humid,
            weather.wind_speed,
            weather.wind_gust,
            weather.precip,
            weather.pressure,
            weather.visib,
            flights.arr_delay > 15 AS late
        FROM {flights} AS flights
        LEFT JOIN {planes} AS planes ON flights.tailnum = planes.tailnum
        LEFT JOIN {weather} AS weather
            ON flights.origin = weather.origin AND flights.time_hour = weather.time_hour
        WHERE flights.status = 'flown'
    """
