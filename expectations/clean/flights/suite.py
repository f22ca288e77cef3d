"""What must hold of the cleaned flights."""

import great_expectations as gx
import great_expectations.expectations as gxe

suite = gx.ExpectationSuite(
    "clean.flights",
    expectations=[
        gxe.ExpectColumnValuesToBeInSet(
            column="status",
            value_set=["cancelled", "diverted", "flown"],
            description="Each flight ended in a known way",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="dep_delay", min_value=-60, max_value=1800, description="Delays are minutes, up to more than a day"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="arr_delay", min_value=-120, max_value=1800, description="Delays are minutes, up to more than a day"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="dep_hhmm", min_value=0, max_value=2359, description="Departures are times of day"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="arr_hhmm", min_value=0, max_value=2359, description="Arrivals are times of day"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="speed", min_value=60, max_value=600, description="No airliner here is faster than 600 mph"
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="delays_agree", value_set=[True], description="Delays follow from scheduled and actual times"
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="sched_dep_utc",
            column_B="time_hour",
            or_equal=True,
            description="The scheduled departure in UTC lies in the hour that the source states",
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="tailnum",
            regex="^N[1-9]([0-9]{0,4}|[0-9]{0,3}[A-HJ-NP-Z]|[0-9]{0,2}[A-HJ-NP-Z]{2})$",
            severity="warning",
            description="Tail numbers follow the FAA's syntax; American Airlines reports many that do not",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="plane_known",
            value_set=[True],
            severity="warning",
            description="The aircraft is in the register; features of unknown aircraft stay empty",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="dest_known",
            value_set=[True],
            severity="info",
            description="The destination is in the airports' own source; four overseas come from the directory",
        ),
    ],
)
