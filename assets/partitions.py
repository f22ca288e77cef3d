"""How the flights' datasets are divided: by month of scheduled departure, as the deliveries are."""

import dagster

#: Keys are ``2013-01`` … ``2013-12``.
monthly = dagster.TimeWindowPartitionsDefinition(
    start="2013-01", end="2014-01", fmt="%Y-%m", cron_schedule="0 0 1 * *", timezone="UTC"
)
