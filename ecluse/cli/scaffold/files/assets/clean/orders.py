"""``clean.orders``: one row per order, with its day."""

import ecluse
import expectations.clean.orders


@ecluse.asset("clean.orders", ins={"raw": "raw.orders"}, guard=expectations.clean.orders, grain="row", group_name="clean")
def orders(raw: ecluse.Table) -> str:
    """Orders with the day on which they were made; what breaks a promise is quarantined."""
    return f"SELECT order_id, customer, ordered_at, ordered_at::DATE AS day, amount FROM {raw}"
