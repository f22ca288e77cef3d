"""Every exception that crosses Écluse's border.

.. code-block:: text

    EcluseError
    ├── DefinitionError      the code, charter, contract or suite is wrong: fix the definition
    ├── SourceError          what should be collected can't be read, or isn't what its contract says
    ├── DataError            the data is bad or could not be judged: fix the data
    │   ├── BrokenData       a promise was checked and does not hold
    │   └── NotComputed      a promise could not be checked, which never reads as held
    ├── Refused              the door stays closed; carries the verdict with every reason
    ├── IntegrityError       a file, lock or log is not what was signed
    ├── Cancelled            somebody stopped the work before it was done
    ├── WarehouseError       tables can't be written or moved
    │   ├── Conflict         somebody else published first, or holds the lease
    │   └── StorageError     the disk is full, read-only or gone
    └── LedgerError          a key is missing, unknown, or may not attest this

A message has three parts, kept in ``ecluse/texts``: what was received, what is allowed, what to try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecluse import texts

if TYPE_CHECKING:
    from ecluse.model.verdict import Verdict


class EcluseError(Exception):
    """Base of all of Écluse's errors.

    ``key`` names the text (``layer.key``); ``fields`` fill its placeholders.
    """

    def __init__(self, key: str, /, **fields: object) -> None:
        self.key = key
        self.fields = fields
        super().__init__(key)

    def part(self, name: str) -> str:
        """One part of the message: ``received``, ``allowed`` or ``hint``."""
        return texts.fill(f"{self.key}.{name}", self.fields)

    def __str__(self) -> str:
        return "\n".join(
            [
                self.part("received"),
                f"{texts.say('errors.allowed')} {self.part('allowed')}",
                f"{texts.say('errors.hint')} {self.part('hint')}",
            ]
        )

    def __reduce__(self) -> tuple[object, ...]:
        # NOTE: errors cross process borders (Dagster's executors), and keyword arguments don't pickle by default.
        return (_rebuild, (type(self), self.key, self.fields))


def _rebuild(kind: type[EcluseError], key: str, fields: dict[str, object]) -> EcluseError:
    return kind(key, **fields)


class DefinitionError(EcluseError):
    """The code, charter, contract or suite is wrong."""


class SourceError(EcluseError):
    """What should be collected can't be read, or isn't what its contract says."""


class DataError(EcluseError):
    """The data is bad, or could not be judged."""


class BrokenData(DataError):
    """A promise was checked and does not hold."""


class NotComputed(DataError):
    """A promise could not be checked; this never reads as held."""


class Refused(EcluseError):
    """The door stays closed; ``verdict`` carries every reason."""

    def __init__(self, key: str, /, *, verdict: Verdict, **fields: object) -> None:
        super().__init__(key, **fields)
        self.verdict = verdict

    def __str__(self) -> str:
        reasons = "".join(f"\n  - {reason.text()}" for reason in self.verdict.reasons)
        return self.part("received") + reasons + f"\n{texts.say('errors.hint')} {self.part('hint')}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_refused, (self.key, self.verdict, self.fields))


def _rebuild_refused(key: str, verdict: Verdict, fields: dict[str, object]) -> Refused:
    return Refused(key, verdict=verdict, **fields)


class IntegrityError(EcluseError):
    """A file, lock or log is not what was signed."""


class Cancelled(EcluseError):
    """Somebody stopped the work before it was done; nothing was judged."""


class WarehouseError(EcluseError):
    """Tables can't be written or moved."""


class Conflict(WarehouseError):
    """Somebody else published first, or holds the lease."""


class StorageError(WarehouseError):
    """The disk is full, read-only or gone."""


class LedgerError(EcluseError):
    """A key is missing, unknown, or may not attest this."""
