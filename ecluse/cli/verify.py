"""``ecluse verify``: whether what a data.lock was written for still stands and is still open."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.texts import say


@click.command("verify")
@click.argument("lock", type=click.Path(path_type=Path), metavar="DATA.LOCK")
@pass_session
def command(session: Session, lock: Path) -> None:
    """Verify that a data.lock still holds.

    The log extends the one it was written on, every file is as released, the door is open now. Needs read access
    only. For CI, and for a model server that boots. Ends with 2 for what was altered, and with 3 where the door is
    closed.

    \b
    Example:
      ecluse verify data.lock
    """
    from ecluse.door import verify

    found = verify(lock, session.project().root)
    manifest = found.manifest
    names = ", ".join(f"{product.dataset}@{manifest.version}" for product in manifest.products)
    if session.json:
        as_json({"release": manifest.digest, "products": names, "files": found.files, "log": found.log})
        return
    click.echo(say("cli.verify.holds", names=names, files=found.files, size=found.log.size))
    for warning in found.verdict.warnings:
        click.echo(f"  {say('cli.warning')} {warning.text()}")
