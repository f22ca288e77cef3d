"""``raw.orders``: the orders as the shop writes them."""

from pathlib import Path

import ecluse
import expectations.raw.orders

FILE = Path(__file__).parents[2] / "data" / "orders.csv"


@ecluse.source("raw.orders", guard=expectations.raw.orders, group_name="raw")
def orders() -> ecluse.Files:
    """Every order of the shop."""
    return ecluse.Files(FILE, origin="data/orders.csv")
