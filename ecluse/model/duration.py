"""Durations as people write them in contracts and settings."""

from __future__ import annotations

import re
from datetime import timedelta

_WITHIN = re.compile(r"^\s*(\d+)\s*(minute|hour|day|week)s?\s*$")


def duration(text: str) -> timedelta:
    """The length of time that a text says; ``ValueError`` for one that says none.

    >>> duration("36 hours")
    datetime.timedelta(days=1, seconds=43200)
    """
    found = _WITHIN.match(text)
    if not found:
        raise ValueError(f"{text!r} is not a duration such as '36 hours' or '35 days'")
    return timedelta(**{f"{found[2]}s": int(found[1])})
