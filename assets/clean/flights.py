"""``clean.flights``: one row per scheduled flight, with times in UTC."""

import ecluse
import expectations.clean.flights
from assets.clean.airports import OVERSEAS
from assets.partitions import monthly


def _minutes(hhmm: str) -> str:
    """Minutes since midnight of a time written as HHMM; 2400 is the midnight that ends the day."""
    return f"({hhmm} // 100 * 60 + {hhmm} % 100)"


@ecluse.asset(
    "clean.flights",
    ins={"raw": "raw.flights", "airports": "clean.airports", "planes": "clean.planes"},
    guard=expectations.clean.flights,
    grain="row",
    look_ups={
        "airports": "raw.dest = airports.faa",
        "planes": "raw.tailnum = planes.tailnum",
    },
    partitions_def=monthly,
    group_name="clean",
)
def flights(raw: ecluse.Table, airports: ecluse.Table, planes: ecluse.Table) -> str:
    """One row per scheduled flight.

    The scheduled departure is New York's time turned into UTC; the departure is that and the delay, so that no local
    hour that repeats is ever asked. The arrival is the first moment after the departure at which clocks at the
    destination show the arrival time. A cancelled flight is valid and has no times.
    """
    overseas = ", ".join(f"'{code}'" for code in OVERSEAS)
    at_dest = "timezone(airports.tzone, dep_utc)"
    minutes_at_dest = f"(hour({at_dest}) * 60 + minute({at_dest}))"
    return f"""
        SELECT
            strftime(raw.time_hour, '%Y-%m-%dT%HZ-') || raw.carrier || raw.flight || '-' || raw.origin AS flight_id,
            raw.time_hour,
            raw.carrier,
            raw.flight,
            raw.tailnum,
            raw.origin,
            raw.dest,
            CASE
                WHEN raw.dep_time IS NULL THEN 'cancelled' WHEN raw.arr_delay IS NULL THEN 'diverted' ELSE 'flown'
            END AS status,
            timezone('America/New_York', make_timestamp(raw.year, raw.month, raw.day, 0, 0, 0)
                + to_minutes({_minutes("raw.sched_dep_time")})) AS sched_dep_utc,
            sched_dep_utc + to_minutes(raw.dep_delay) AS dep_utc,
            (({_minutes("raw.arr_time")} - {minutes_at_dest} + 2880) % 1440)::INTEGER AS block_time,
            dep_utc + to_minutes(block_time) AS arr_utc,
            raw.dep_time % 2400 AS dep_hhmm,
            raw.arr_time % 2400 AS arr_hhmm,
            raw.dep_delay,
            raw.arr_delay,
            raw.air_time,
            raw.distance,
            raw.distance * 60 / raw.air_time AS speed,
            ({_minutes("raw.dep_time")} - {_minutes("raw.sched_dep_time")} - raw.dep_delay) % 1440 = 0
                AND coalesce(
                    ({_minutes("raw.arr_time")} - {_minutes("raw.sched_arr_time")} - raw.arr_delay) % 1440 = 0, true
                ) AS delays_agree,
            CASE WHEN raw.tailnum IS NOT NULL THEN planes.tailnum IS NOT NULL END AS plane_known,
            raw.dest NOT IN ({overseas}) AS dest_known
        FROM {raw} AS raw
        LEFT JOIN {airports} AS airports ON raw.dest = airports.faa
        LEFT JOIN {planes} AS planes ON raw.tailnum = planes.tailnum
    """
