"""Processes that publish at the same time, on both databases; `python -m benchmarks.races` runs any number."""

from __future__ import annotations

import pytest

from benchmarks.races import race


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_publish_at_the_same_time_lose_and_double_nothing(tmp_path, request, kind):
    url = request.getfixturevalue("postgresql_url") if kind == "postgresql" else None
    race(tmp_path, processes=4, cycles=2, database=url)
