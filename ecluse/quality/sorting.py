"""Puts the values of a table's columns in order, file by file: a file that was sorted before isn't read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecluse.model.tablefiles import FileRows, TableFiles
from ecluse.quality.order import Form, Order
from ecluse.quality.runs import Run
from ecluse.quality.states import NoState, States
from ecluse.quality.values import Values


class Sorted:
    """The columns of a table whose order is asked for.

    ``values`` gives what counts of a file, for the domain of a metric.
    """

    def __init__(self, files: TableFiles, kept: States, values: Callable[[FileRows, dict[str, Any]], Values]) -> None:
        self.files, self.kept, self._values = files, kept, values
        self._asked: dict[str, tuple[Form, dict[str, Any]]] = {}
        self._orders: dict[str, Order] = {}

    def ask(self, key: str, type_: str, domain: dict[str, Any]) -> Callable[[], Order]:
        """Plan the order of a column of ``type_``, kept under ``key``; gives it once for all who ask.

        ``NoState`` where its values can't be kept, or mustn't be.
        """
        if self.files.copied is not None and domain["column"] not in self.files.copied:
            raise NoState("values of which no copy is kept")
        self._asked[key] = Form.of(type_), domain

        def order() -> Order:
            if key not in self._orders:
                runs = [run for part in self.files.files for run in self._runs(part, key)]
                self._orders[key] = Order(runs, self._asked[key][0])
            return self._orders[key]

        return order

    def known(self, part: FileRows) -> bool:
        """Whether all that was planned is kept of a file."""
        return all(self._read(part, key) is not None for key in self._asked)

    def _read(self, part: FileRows, key: str) -> list[Run] | None:
        return self.kept.read_runs(f"{part.digest}:{key}", self._asked[key][0].kind)

    def _runs(self, part: FileRows, key: str) -> list[Run]:
        found = self._read(part, key)
        if found is None:
            form, domain = self._asked[key]
            values = self._values(part, domain)
            self.kept.write_runs(f"{part.digest}:{key}", form.sorted_runs(values.batch.engine, values.source))
            found = self._read(part, key)
        if found is None:
            raise NoState("a folder that keeps nothing")
        return found
