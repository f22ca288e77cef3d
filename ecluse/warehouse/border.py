"""Errors of PyIceberg, PyArrow and the operating system as Écluse's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, ValidationException

from ecluse.errors import Conflict, EcluseError, IntegrityError, StorageError, WarehouseError
from ecluse.warehouse.types import UnknownType


@contextmanager
def border(dataset: str) -> Iterator[None]:
    """Map every foreign error that leaves the context; ``dataset`` is what it was about."""
    try:
        yield
    except EcluseError:
        raise
    except NoSuchTableError as error:
        raise WarehouseError("warehouse.no_table", dataset=dataset) from error
    except (CommitFailedException, ValidationException) as error:
        raise Conflict("warehouse.moved", dataset=dataset) from error
    except FileNotFoundError as error:
        raise IntegrityError("warehouse.missing_file", dataset=dataset, path=_text(error)) from error
    except UnknownType as error:
        raise WarehouseError("warehouse.foreign_type", dataset=dataset, type=_text(error)) from error
    except (pa.ArrowInvalid, EOFError, UnicodeDecodeError) as error:
        raise IntegrityError("warehouse.damaged_file", dataset=dataset, error=_text(error)) from error
    except OSError as error:
        raise StorageError("warehouse.storage", dataset=dataset, error=_text(error)) from error


def _text(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
