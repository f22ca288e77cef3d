"""The cleaned orders, on a few rows and without Dagster."""

from datetime import UTC, datetime

from assets.clean.orders import orders
from ecluse.testing import run_step

AT = datetime(2024, 3, 1, 8, tzinfo=UTC)


def row(order_id, amount):
    return {"order_id": order_id, "customer": "c-1", "ordered_at": AT, "amount": amount}


def test_an_order_below_zero_is_quarantined():
    given = [row(number, 10.0) for number in range(1, 10)] + [row(10, -1.0)]
    step = run_step(orders, inputs={"raw": given})
    assert (step.candidate.num_rows, step.quarantine.num_rows) == (9, 1)
    assert step.quarantine["order_id"].to_pylist() == [10]
