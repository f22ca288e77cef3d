"""Holds what a run works on while it works, however long one stage of it takes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from ecluse.errors import EcluseError
from ecluse.warehouse import Warehouse

#: How often a lease is renewed before it would run out: two beats may be missed.
_BEATS_PER_LEASE = 3
_SHORTEST = 0.01


@contextlib.contextmanager
def heartbeat(warehouse: Warehouse, run_id: str) -> Iterator[None]:
    """Renew every lease that the run holds until the block ends.

    A lease that was lost is not won back: publishing finds that out, in the transaction that would publish.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(max(warehouse.lease.total_seconds() / _BEATS_PER_LEASE, _SHORTEST)):
            # NOTE: a database that is busy or away for a moment must not end the run; the next beat tries again.
            with contextlib.suppress(EcluseError):
                warehouse.hold(run_id)

    thread = threading.Thread(target=beat, name=f"heartbeat of {run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
