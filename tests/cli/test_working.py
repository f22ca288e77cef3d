"""Work in a thread of its own: what it finds, what it raises, and Ctrl-C before and after its end."""

import _thread
import threading

import pytest

from ecluse.cli.working import working
from ecluse.engine import Cancelled, Engine

ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(1000) b"


def test_what_was_over_when_ctrl_c_came_is_given():
    def work(_watch):
        _thread.interrupt_main()
        return "found"

    assert working(work) == "found"


def test_ctrl_c_stops_a_statement_and_says_so(capsys):
    stopped = threading.Event()

    def work(watch):
        with Engine(watch=watch) as engine:
            _thread.interrupt_main()
            try:
                engine.rows(ENDLESS)
            except Cancelled:
                stopped.set()
                raise

    with pytest.raises(KeyboardInterrupt):
        working(work)
    assert stopped.is_set()
    assert capsys.readouterr().err.startswith("Stopped.")


def test_an_error_is_raised_where_it_is_waited_for():
    def work(_watch):
        raise ValueError("in the way")

    with pytest.raises(ValueError, match="in the way"):
        working(work)
