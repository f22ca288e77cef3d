"""A value that is used in this process and leaves it by none of the ways on which objects wander off."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Hidden(Generic[T]):
    """Holds a secret: ``repr`` doesn't show it, and it can be neither copied nor pickled.

    NOTE: code of the same process still reaches it; only another process is a border.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        return "Hidden()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a hidden value stays in its process: it is neither copied nor pickled")
