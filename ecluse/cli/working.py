"""Work that takes a while: a progress bar while it goes on, and an end at once with Ctrl-C."""

from __future__ import annotations

import contextvars
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.engine import Watch

T = TypeVar("T")

#: How often the bar is drawn and Ctrl-C is seen, in seconds, and how long the work may take to stop.
_TICK, _STOPS_WITHIN = 0.1, 3.0


def working(work: Callable[[Watch], T], *, quietly: bool = False) -> T:
    """What ``work`` gives, which runs in a thread of its own: the engine's own code would not see Ctrl-C everywhere.

    On a terminal a bar on standard error shows how far it is, unless ``quietly``. Work that was over when Ctrl-C came
    gives what it found.
    """
    from ecluse.engine import Watch

    watch = Watch()
    found: list[T] = []
    errors: list[BaseException] = []
    # NOTE: a thread whose ``join`` was interrupted says that it is over while it goes on (Python before 3.13).
    over = threading.Event()

    def carried_out() -> None:
        try:
            found.append(work(watch))
        except BaseException as error:  # noqa: BLE001 # raised again where it is waited for
            errors.append(error)
        finally:
            over.set()

    # NOTE: the language of messages is the context's.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(carried_out,), daemon=True)
    try:
        thread.start()
        if quietly or not sys.stderr.isatty():
            while not over.wait(_TICK):
                pass
        else:
            _show(over, watch)
    except KeyboardInterrupt:
        watch.cancel()
        over.wait(_STOPS_WITHIN)
        watch.settle(1.0)
        # NOTE: what the error holds on to would outlive the engine's library, which complains about it on leaving.
        errors.clear()
        gc.collect()
        if found:
            return found[0]
        click.echo(say("cli.working.stopped"), err=True)
        if not over.is_set():
            # NOTE: it is inside of a library that can't be stopped, and the interpreter can't end around it.
            sys.stderr.flush()
            os._exit(130)
        raise
    if errors:
        raise errors[0]
    return found[0]


@contextmanager
def going(said: str, *, quietly: bool = False) -> Iterator[Callable[[str], None]]:
    """On a terminal, a line on standard error that moves while work goes on; gives what prints a line above it.

    For work that has to stay in the first thread, such as a Dagster run.
    """
    if quietly or not sys.stderr.isatty():
        yield click.echo
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    # NOTE: standard output may go to a file or another program: rich must not take its lines for the terminal's.
    shown = Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    )

    def tell(line: str) -> None:
        shown.stop()
        click.echo(line)
        shown.start()

    with shown:
        shown.add_task(said, total=None)
        yield tell


def _show(over: threading.Event, watch: Watch) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[of]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, of="")
        while not over.wait(_TICK):
            share, of = watch.scanned(), f"{watch.done}/{watch.total}"
            if not watch.total or watch.stage == "scanning":
                of = "" if share is None else f"{share:.0%}"
            else:
                share = watch.done / watch.total
            shown = say(f"cli.working.stage.{watch.stage}") if watch.stage else ""
            bar.update(task, description=shown, completed=share or 0.0, of=of)
