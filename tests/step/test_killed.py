"""A run that is killed leaves what was published readable and whole, and the next run cleans up after it.

These are the places where something is half done; `make torture` goes on at every place and at random times.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.torture import ASSET, CALLS, KEPT, SOURCE, Blow, Torture

LATE = "everything is written, not committed"


@pytest.fixture(scope="module")
def torture(tmp_path_factory) -> Iterator[Torture]:
    found = Torture(tmp_path_factory.mktemp("torture"))
    yield found
    found.close()


@pytest.mark.parametrize("place", ["decide", *CALLS])
def test_a_kill_loses_nothing_that_was_published_and_leaves_nothing_behind(torture, place):
    torture.trial(Blow(ASSET, place))


@pytest.mark.parametrize(
    "blow",
    [Blow(SOURCE, LATE), Blow(KEPT, LATE), Blow("", seconds=0.6)],
    ids=["in the source", "in an append", "at some time"],
)
def test_the_same_holds_for_a_source_for_an_append_and_at_any_time(torture, blow):
    torture.trial(blow)


def test_the_same_holds_on_postgresql(postgresql, tmp_path):
    torture = Torture(tmp_path, postgresql.database())
    try:
        torture.trial(Blow(ASSET, LATE))
    finally:
        torture.close()
