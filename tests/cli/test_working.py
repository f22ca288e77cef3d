"""Work in a thread of its own: what it finds, what it raises, and Ctrl-C before and after its end."""

import _thread
import io
import sys
import threading

import pytest

from ecluse.cli.working import going, working
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


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_line_moves_and_results_go_to_standard_output(capsys, monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with going("Running") as tell:
        tell("clean.orders: published")
        sys.stdout.write("of the user's own code\n")
    assert "Running" in terminal.getvalue()
    assert capsys.readouterr().out == "clean.orders: published\nof the user's own code\n"


@pytest.mark.parametrize(("stream", "quietly"), [(io.StringIO, False), (Terminal, True)])
def test_without_a_terminal_or_for_a_machine_nothing_moves(capsys, monkeypatch, stream, quietly):
    monkeypatch.setattr(sys, "stderr", stream())
    with going("Running", quietly=quietly) as tell:
        tell("clean.orders: published")
    assert sys.stderr.getvalue() == ""
    assert capsys.readouterr().out == "clean.orders: published\n"
