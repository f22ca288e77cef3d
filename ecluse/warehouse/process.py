"""Which process holds a lease, and whether it is provably dead."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """One process of one boot of one machine: its id alone would come back.

    ``place`` is where ``pid`` and ``started`` (clock ticks since the boot, so that no change of the clock matters) mean
    anything: the machine since its last boot and, as containers number their processes for themselves, the namespaces.
    """

    place: str
    pid: int
    started: int

    def dead(self) -> bool:
        """Whether it certainly runs no more. A process of another place may always be alive."""
        if self.place != _place():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        found = _stat(self.pid)
        return found is not None and (found.ended or found.started != self.started)


def this_process() -> Process | None:
    """The process that asks; ``None`` on systems that don't say enough about it (those without Linux's ``/proc``)."""
    place, found = _place(), _stat(os.getpid())
    return Process(place, os.getpid(), found.started) if place and found else None


@dataclass(frozen=True)
class _Stat:
    started: int
    ended: bool


@cache
def _place() -> str:
    try:
        # NOTE: a namespace's number is given again only once all of its processes are gone.
        namespaces = [str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("pid", "time")]
        return " ".join([os.uname().nodename, _BOOT.read_text("ascii").strip(), *namespaces])
    except OSError:
        return ""


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # NOTE: the second field is the program's name in parentheses, which may hold anything.
    state, *fields = text.rpartition(")")[2].split()
    # NOTE: a dead process stays listed until its parent asks for it. The main thread alone may end before the others.
    return _Stat(started=int(fields[18]), ended=state in "ZX" and int(fields[16]) <= 1)
