"""Errors of the libraries that reach a key elsewhere, as Écluse's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ecluse.errors import LedgerError


@contextmanager
def foreign_errors(package: str, clear: Callable[[Exception], LedgerError]) -> Iterator[None]:
    """``LedgerError`` for whatever the block raises.

    Where a library is missing it is the one of the key ``package``, and else what ``clear`` makes of the error. That
    one is not chained: what a token says about its PIN, or AWS about who asks, is nobody's business.
    """
    try:
        yield
    except LedgerError:
        raise
    except ImportError as error:
        raise LedgerError(package) from error
    except Exception as error:
        # NOTE: all of them: makers' libraries raise what they like, and at the address of AWS may be something else.
        # By its name, because securesystemslib itself is there for some places only.
        if type(error).__name__ == "UnsupportedLibraryError":
            raise LedgerError(package) from error
        raise clear(error) from None
