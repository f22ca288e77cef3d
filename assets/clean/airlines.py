"""``clean.airlines``: airlines by carrier code."""

import ecluse
import expectations.clean.airlines


@ecluse.asset(
    "clean.airlines", ins={"raw": "raw.airlines"}, guard=expectations.clean.airlines, grain="row", group_name="clean"
)
def airlines(raw: ecluse.Table) -> str:
    """Airlines by carrier code, with names without blanks around them."""
    return f"SELECT carrier, trim(name) AS name FROM {raw}"
