"""``ecluse verify``: whether what a data.lock was written for still stands and is still open."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.texts import say

_FILE = click.Path(path_type=Path)


@click.command("verify")
@click.argument("lock", type=_FILE, metavar="DATA.LOCK")
@click.option("--evidence", type=_FILE, metavar="FILE", help="An exported log, instead of the project's database.")
@click.option("--charter", type=_FILE, metavar="FILE", help="With --evidence: the public keys. Default: the project's.")
@click.option("--checkpoint", type=_FILE, metavar="FILE", help="With --evidence: one that the export must extend.")
@click.option("--files", type=_FILE, metavar="DIR", help="With --evidence: a copy of the tables, to be hashed too.")
@pass_session
def command(
    session: Session,
    lock: Path,
    evidence: Path | None,
    charter: Path | None,
    checkpoint: Path | None,
    files: Path | None,
) -> None:
    """Verify that a data.lock still holds.

    The log extends the one it was written on, every file is as released, the door is open now. Needs read access
    only. For CI, and for a model server that boots. Ends with 2 for what was altered, and with 3 where the door is
    closed: the release was withdrawn since, an approval expired, a check broke.

    With --evidence neither database nor network is needed: a file that ecluse log export wrote, and the charter.

    \b
    Example:
      ecluse verify data.lock
      ecluse verify data.lock --evidence log.ndjson --charter charter.yaml
    """
    from ecluse.door import verify

    root = None if charter else session.project().root
    found = verify(lock, root, evidence=evidence, charter=charter, checkpoint=checkpoint, files=files)
    manifest = found.manifest
    names = ", ".join(f"{product.dataset}@{manifest.version}" for product in manifest.products)
    if session.json:
        as_json(
            {
                "release": manifest.digest,
                "products": names,
                "files": found.files,
                "log": found.log,
                "newest": found.newest,
                "warnings": [{"key": w.key, "text": w.text()} for w in found.verdict.warnings],
            }
        )
        return
    if evidence is None:
        click.echo(say("cli.verify.holds", names=names, files=found.files, size=found.log.size))
    else:
        newest = found.newest.isoformat(" ", "seconds")
        click.echo(say("cli.verify.offline", names=names, size=found.log.size, evidence=evidence, newest=newest))
        click.echo(say("cli.verify.not_hashed") if found.files is None else say("cli.verify.hashed", files=found.files))
    for warning in found.verdict.warnings:
        click.echo(f"  {say('cli.warning')} {warning.text()}")
