"""A look at an engine's work from another thread: how far it is, and a way to stop it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: How long a statement that began while the work was being stopped goes on at most, in seconds.
_INSIST = 0.05


class Cancelled(BaseException):
    """The work was stopped from outside.

    NOTE: it is no ``Exception``, so that nothing takes it for a statement that failed, and goes on with the next.
    """


@dataclass
class Watch:
    """Given to what works; ``cancel`` stops it from any thread, as soon as the statement that runs can be stopped.

    ``stage`` names what is being done (``planning``, ``scanning``, ``judging``); ``done`` of ``total`` expectations,
    or of whatever else it works through, are through it.
    """

    stage: str = ""
    done: int = 0
    total: int = 0
    cancelled: bool = False
    _insisting: threading.Thread | None = None
    _connections: list[duckdb.DuckDBPyConnection] = field(default_factory=list)

    def cancel(self) -> None:
        """Stop the work: whoever waits for it gets ``errors.Cancelled``."""
        if self._insisting is None:
            self.cancelled = True
            self._insisting = threading.Thread(target=self._insist, daemon=True)
            self._insisting.start()

    def reached(self, done: int) -> None:
        """So much is done; ``Cancelled`` where the work was stopped meanwhile."""
        self.done = done
        if self.cancelled:
            raise Cancelled

    def settle(self, within: float) -> None:
        """Wait until nothing of a stopped work goes on, for so many seconds at most."""
        if self._insisting is not None:
            self._insisting.join(within)

    def scanned(self) -> float | None:
        """How much of the statement that runs is done, from 0 to 1; ``None`` where nobody knows."""
        for connection in list(self._connections):
            share = connection.query_progress()
            return share / 100 if 0 <= share <= 100 else None
        return None

    def opened(self, connection: duckdb.DuckDBPyConnection) -> None:
        """A connection begins to work."""
        connection.execute("SET enable_progress_bar = true")
        connection.execute("SET enable_progress_bar_print = false")
        self._connections.append(connection)

    def closed(self, connection: duckdb.DuckDBPyConnection) -> None:
        """A connection's work is over."""
        if connection in self._connections:
            self._connections.remove(connection)

    def _insist(self) -> None:
        # An interruption that comes between two statements is lost.
        while self._interrupt():
            time.sleep(_INSIST)

    def _interrupt(self) -> bool:
        for connection in list(self._connections):
            connection.interrupt()
        return bool(self._connections)
