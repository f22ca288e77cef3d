"""Ten million orders as Parquet, the same bytes of data on every machine: the table that validation is measured on."""

from __future__ import annotations

from pathlib import Path

from benchmarks.order_checks import COUNTRIES, STATUSES
from ecluse.engine import Engine, literal

# Values come from hashes of the row's number, so that nothing hangs on a random generator or on the number of threads.
_QUERY = """
WITH n AS (SELECT i, hash(i) AS a, hash(i + 1000000007) AS b FROM range({rows}) AS r(i))
SELECT
    i AS id,
    (a % 3000000)::INTEGER AS customer,
    CASE WHEN b % 50 = 0 THEN NULL ELSE round((a % 1000000) / 1000.0, 2)::DOUBLE END AS amount,
    (1 + b % 12)::INTEGER AS quantity,
    round(5 + (b % 99991) / 100.0, 2)::DOUBLE AS price,
    ((a >> 20) % 1000 / 1000.0)::DOUBLE AS discount,
    (sqrt(-2 * ln(((a >> 8) % 1000003 + 1) / 1000004.0)) * cos(2 * pi() * (b % 1000003) / 1000003.0))::DOUBLE AS score,
    {countries}[(1 + a % 10)::INTEGER] AS country,
    {statuses}[(1 + b % 5)::INTEGER] AS status,
    'user' || (a % 3000000) || '@mail' || (b % 40) || '.example' AS email,
    substr(md5(i::VARCHAR), 1, 12) AS token,
    TIMESTAMP '2024-01-01' + to_seconds(i * 3) AS ordered_at,
    CASE WHEN a % 20 = 0 THEN NULL
         ELSE TIMESTAMP '2024-01-01' + to_seconds(i * 3 + 60 + (b % 500000)::BIGINT) END AS shipped_at,
    b % 7 <> 0 AS active,
    (a % 366)::SMALLINT AS day_of_year
FROM n
"""


def made(folder: Path, rows: int) -> Path:
    """The file of ``rows`` orders in ``folder``, written if it isn't there yet."""
    path = folder / f"orders_{rows}.parquet"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        query = _QUERY.format(rows=rows, countries=literal(COUNTRIES), statuses=literal(STATUSES))
        part = path.with_suffix(".part")
        with Engine() as engine:
            engine.run(
                f"COPY ({query}) TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd, PRESERVE_ORDER true)"
            )
        part.rename(path)
    return path
