"""``ecluse report``: the release sheet, one page for an auditor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from ecluse import texts
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.texts import say


@click.command("report")
@click.argument("dataset")
@click.option("--version", metavar="VERSION", help="The release. Default: the newest.")
@click.option("--as-of", type=click.DateTime(), help="As the records stood at this moment (UTC). Default: now.")
@click.option("--purpose", metavar="ID", help="What it is to be used for. Default: the charter's first that names it.")
@click.option("--lang", type=click.Choice(texts.LANGUAGES), help="The sheet's language. Default: that of the messages.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE.html", help="Default: DATASET.html.")
@pass_session
def command(
    session: Session,
    dataset: str,
    version: str | None,
    as_of: datetime | None,
    purpose: str | None,
    lang: str | None,
    output: Path | None,
) -> None:
    """Write a release's sheet.

    One self-contained page that says whether the release is open for a purpose, and shows all the evidence.

    \b
    Example:
      ecluse report products.delay_features --purpose delay-prediction --lang fr -o sheet.html
    """
    from ecluse.cli.reading import require_known
    from ecluse.report import write_sheet

    with session.reading() as project:
        require_known(project, dataset)
    file = output or Path(f"{dataset}.html")
    write_sheet(
        session.project(),
        dataset,
        file,
        version=version,
        as_of=as_of.replace(tzinfo=UTC) if as_of else None,
        purpose=purpose,
        lang=lang or texts.language(),
    )
    if session.json:
        as_json({"dataset": dataset, "file": file})
    else:
        click.echo(say("cli.report.written", dataset=dataset, file=file))
