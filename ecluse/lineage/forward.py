"""The way out of the outbox: OpenLineage's own transports, with a bound on how long anyone waits for them."""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ecluse.errors import DefinitionError

if TYPE_CHECKING:
    from openlineage.client.transport import Transport

    from ecluse.lineage.events import Event

_log = logging.getLogger("ecluse.lineage")


@dataclass(frozen=True)
class Delivery:
    """Which events (by number) arrived, which one failed, and why."""

    sent: tuple[int, ...] = ()
    failed: int | None = None
    error: str = ""


def transport_of(path: Path, seconds: float) -> Transport | None:
    """The transport of an ``openlineage.yml``; ``None`` where there is no file, no transport, or ``type: noop``.

    A value ``env:NAME`` is read from the environment. A relative ``log_file_path`` is seen from the file's folder.
    """
    config = _read(path)
    if not config or config.get("type") == "noop":
        return None
    # NOTE: the client itself is not used. It looks for settings in other places than the given file, and writes
    # to os.environ where OPENLINEAGE_URL is set.
    from openlineage.client.transport import get_default_factory

    try:
        made = get_default_factory().create(_prepared(config, path, seconds))
    except Exception as error:
        raise DefinitionError("lineage.transport", path=path, error=_first_line(error)) from error
    return None if made.kind == "noop" else made


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DefinitionError("lineage.transport", path=path, error=_first_line(error)) from error
    transport = found.get("transport") if isinstance(found, dict) else found
    if transport is None:
        return {}
    if not isinstance(transport, dict) or not isinstance(transport.get("type"), str):
        raise DefinitionError("lineage.transport", path=path, error="transport has no type")
    return transport


def _prepared(config: dict[str, Any], path: Path, seconds: float) -> dict[str, Any]:
    """A transport's settings with references resolved, and within the bound of time."""
    found = {key: _resolved(value, path, seconds) for key, value in copy.deepcopy(config).items()}
    if found.get("type") == "async_http":
        # The outbox is what makes sending asynchronous; a second queue in memory would lose what it holds.
        found["type"] = "http"
    if found.get("type") == "http":
        found["timeout"] = min(float(found.get("timeout", seconds)), seconds)
        found["retry"] = {**found.get("retry", {}), "total": 0, "connect": 0, "read": 0}
    if found.get("type") == "file" and "://" not in str(found.get("log_file_path", "")):
        found["log_file_path"] = str(path.parent / str(found["log_file_path"]))
    return found


def _resolved(value: Any, path: Path, seconds: float) -> Any:
    if isinstance(value, dict):
        return _prepared(value, path, seconds)
    if isinstance(value, list):
        return [_resolved(item, path, seconds) for item in value]
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in os.environ:
            raise DefinitionError("lineage.secret", path=path, name=name)
        return os.environ[name]
    return value


@dataclass
class _Progress:
    """What the sending thread has done so far, for the thread that waits for it."""

    sent: list[int] = field(default_factory=list)
    trying: int | None = None
    error: str = ""
    stopped: bool = False


def deliver(transport: Transport, batch: Sequence[tuple[int, Event]], seconds: float) -> Delivery:
    """Send events one by one until one fails or the time is over; never raises, never waits longer."""
    if not batch:
        return Delivery()
    progress = _Progress()
    # NOTE: a thread, because not every transport knows a timeout. Where one hangs, it is left behind and stops
    # after the event it hangs on.
    thread = threading.Thread(target=_send, args=(transport, batch, progress), name="ecluse-forward", daemon=True)
    deadline = time.monotonic() + seconds
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    progress.stopped = True
    sent, trying = tuple(progress.sent), progress.trying
    if thread.is_alive() and trying is not None and trying not in sent:
        return Delivery(sent, trying, f"no answer within {seconds:g} s")
    return Delivery(sent, trying if progress.error else None, progress.error)


def _send(transport: Transport, batch: Sequence[tuple[int, Event]], progress: _Progress) -> None:
    try:
        for number, event in batch:
            if progress.stopped:
                break
            progress.trying = number
            # A transport sends what the client's Serde writes, which takes an event as an object or as JSON.
            transport.emit(event)  # type: ignore[arg-type]
            progress.sent.append(number)
    except Exception as error:  # noqa: BLE001 - whatever a backend does, a run goes on
        progress.error = _first_line(error)
        _log.info("an event was not forwarded: %s", progress.error)
    finally:
        _close(transport)


def _close(transport: Transport) -> None:
    try:
        transport.close(1.0)
    except Exception as error:  # noqa: BLE001 - the same
        _log.info("a lineage transport did not close: %s", _first_line(error))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
