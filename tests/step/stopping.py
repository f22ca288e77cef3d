"""A run that ends in the middle, as somebody's Ctrl-C or a defect ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ecluse.step import run as run_module


@contextmanager
def ended_at(stage: str, error: type[BaseException]) -> Iterator[None]:
    """A block in which a step gets no further than to a stage; the block must end by that error."""

    def end(*_: object) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        stages = tuple(end if one.__name__ == stage else one for one in run_module.STAGES)
        assert stages != run_module.STAGES
        patch.setattr(run_module, "STAGES", stages)
        with pytest.raises(error):
            yield
