"""soda-core 4 on DuckDB: a data contract over a view of the file."""

from __future__ import annotations

import json
import logging
from typing import Any

import duckdb
from soda_core.common.yaml import ContractYamlSource
from soda_core.contracts.contract_verification import ContractVerificationSession
from soda_duckdb.common.data_sources.duckdb_data_source import DuckDBDataSourceImpl

from benchmarks.order_checks import Check
from benchmarks.others.common import THREADS, measured


def between(low: Any, high: Any) -> dict[str, Any]:
    """A threshold with both ends."""
    if low == high:
        return {"must_be": low}
    return {"must_be_between": {"greater_than_or_equal": low, "less_than_or_equal": high}}


def asked(check: Check, rows: int) -> dict[str, Any]:
    """A check of a contract. What soda lacks is SQL in a check of a metric or of failed rows."""
    name, of = check.column, check.given
    most = {"threshold": {"metric": "percent", "must_be_less_than": round((1 - check.least) * 100, 6)}}
    share = {} if check.least == 1 else most
    match check.kind:
        case "rows":
            return {"row_count": {"threshold": {"must_be": rows}}}
        case "present":
            return {"missing": share}
        case "unique":
            return {"duplicate": {}}
        case "unique together":
            return {"duplicate": {"columns": [name, of]}}
        case "between" if isinstance(of[0], (int, float)):
            return {"invalid": {"valid_min": of[0], "valid_max": of[1]}}
        case "in":
            return {"invalid": {"valid_values": of, **share}}
        case "not in":
            return {"invalid": {"invalid_values": of}}
        case "matches":
            return {"invalid": {"valid_format": {"name": name, "regex": of}}}
        case "length":
            return {"invalid": {"valid_min_length": of[0], "valid_max_length": of[1]}}
        case "later":
            return {"failed_rows": {"expression": f"NOT {name} > {of}"}}
        case "z":
            moments = f"SELECT avg({name}) AS m, stddev_samp({name}) AS s FROM orders"
            query = f"SELECT max(abs({name} - m) / s) FROM orders, ({moments})"
            return {"metric": {"query": query, "threshold": {"must_be_less_than": of}}}
        case "mean" | "min" | "max" | "sum":
            function = "avg" if check.kind == "mean" else check.kind
            return {"aggregate": {"function": function, "threshold": between(*of)}}
        case "median":
            return {"metric": {"expression": f"median({name})", "threshold": between(*of)}}
        case "deviation":
            return {"metric": {"expression": f"stddev_samp({name})", "threshold": between(*of)}}
        case "different":
            return {"metric": {"expression": f"count(DISTINCT {name})", "threshold": {"must_be": of}}}
    raise KeyError(check.kind)


def check(path: str, checks: list[Check]) -> int:
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute(f"CREATE VIEW orders AS SELECT * FROM read_parquet('{path}')")
    names = [row[0] for row in connection.execute("DESCRIBE orders").fetchall()]
    (rows,) = connection.execute("SELECT count(*) FROM orders").fetchone()
    columns: dict[str, list[Any]] = {name: [] for name in names}
    whole = []
    for number, each in enumerate(checks):
        ((kind, given),) = asked(each, rows).items()
        about_one = each.kind not in ("rows", "later", "unique together", "z")
        (columns[each.column] if about_one else whole).append({kind: {**given, "qualifier": str(number)}})
    contract = {
        "dataset": "orders/main/orders",
        "columns": [{"name": n, **({"checks": c} if c else {})} for n, c in columns.items()],
        "checks": whole,
    }
    logging.disable(logging.CRITICAL)
    done = ContractVerificationSession.execute(
        contract_yaml_sources=[ContractYamlSource.from_str(json.dumps(contract))],
        data_source_impls=[DuckDBDataSourceImpl.from_existing_cursor(connection, name="orders")],
    )
    results = done.contract_verification_results[0].check_results
    told = [result.outcome.name for result in results]
    if len(told) != len(checks) or not set(told) <= {"PASSED", "FAILED"}:
        raise SystemExit(f"soda answered {told}: {done.get_logs_str()}")
    return told.count("FAILED")


if __name__ == "__main__":
    measured(check, ("soda-core", "duckdb"))
