"""Whether newly computed rows are the published ones, so that no file needs to be written anew."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.engine import Engine, quote


def same_rows(engine: Engine, one: str, other: str, columns: Sequence[str]) -> bool:
    """Whether two queries give the same rows, each as often, in whatever order, by these columns.

    One scan of each tells nearly all that differ apart; only where it doesn't, the rows themselves are compared.
    """
    names = ", ".join(quote(name) for name in columns)
    # NOTE: a sum of hashes doesn't depend on the order; HUGEINT, so that it can't overflow.
    summed = f"SELECT count(*), coalesce(sum(hash({names})::HUGEINT), 0) FROM"
    if engine.row(f"{summed} {one}") != engine.row(f"{summed} {other}"):
        return False
    left = f"SELECT 1 FROM (SELECT {names} FROM {one} EXCEPT ALL SELECT {names} FROM {other}) LIMIT 1"
    return not engine.rows(left)
