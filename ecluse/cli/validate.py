"""``ecluse validate``: anybody's Great Expectations suite, on any Parquet or CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.cli.working import working
from ecluse.model.canonical import plain
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.engine import Watch
    from ecluse.quality import Explanation

#: So many expectations at most are named where they share a result.
_NAMED = 3
FORMATS = ("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")


@click.command("validate")
@click.argument("suite", type=click.Path(path_type=Path), metavar="SUITE.json")
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATA…")
@click.option(
    "--result-format", type=click.Choice(FORMATS), default="SUMMARY", help="How much GX tells of each result."
)
@click.option(
    "--failing-rows",
    type=click.Path(path_type=Path),
    metavar="OUT.parquet",
    help="Write every failing row to this Parquet file, with what it broke in _broke.",
)
@click.option(
    "--states",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep what is measured of each Parquet file here: files that were validated before aren't read again.",
)
@click.option("--memory-limit", metavar="SIZE", help="The most memory that the engine uses, for example 2GB.")
@click.option("--explain", is_flag=True, help="Print how the suite would be answered, and judge nothing.")
@pass_session
def command(
    session: Session,
    suite: Path,
    data: tuple[Path, ...],
    result_format: str,
    failing_rows: Path | None,
    states: Path | None,
    memory_limit: str | None,
    explain: bool,
) -> None:
    """Validate files against any GX suite.

    The suite is JSON as GX writes it; the data are Parquet or CSV files; no project is needed. Ends with 2 where an
    expectation isn't met or could not be computed, and with 130 after Ctrl-C. With --json the result is GX's own.

    \b
    Example:
      ecluse validate suite.json january.parquet february.parquet
      ecluse validate suite.json january.parquet --failing-rows failing.parquet
      ecluse validate suite.json january.parquet --explain
    """
    if explain:
        _explain(session, suite, data, states, memory_limit)
        return

    def work(watch: Watch) -> dict[str, Any]:
        from ecluse.quality import read_suite, validate

        result = validate(
            list(data),
            read_suite(suite),
            result_format=result_format,
            failing_rows=failing_rows,
            states=states,
            memory_limit=memory_limit,
            watch=watch,
        )
        told: dict[str, Any] = result.to_json_dict()
        return told

    found = working(work, quietly=session.json)
    if session.json:
        as_json(found)
    else:
        _show(found)
    if not found["success"]:
        click.get_current_context().exit(2)


def _explain(
    session: Session, suite: Path, data: tuple[Path, ...], states: Path | None, memory_limit: str | None
) -> None:
    def work(watch: Watch) -> Explanation:
        from ecluse.quality import explain, read_suite

        return explain(list(data), read_suite(suite), states=states, memory_limit=memory_limit, watch=watch)

    plan = working(work, quietly=session.json)
    if session.json:
        as_json(plain(plan))
        return
    rows = [
        (say(f"cli.validate.pass.{each.kind}"), computed.what, _listed(computed.shared_by))
        for each in plan.passes
        for computed in each.computes
    ]
    as_table([say(f"cli.column.{name}") for name in ("pass", "computes", "shared_by")], rows)
    costs = [
        (
            say(f"cli.validate.pass.{each.kind}"),
            each.statements,
            None if each.columns is None else ", ".join(each.columns),
            None if each.bytes is None else f"{each.bytes / 10**6:.1f}",
        )
        for each in plan.passes
    ]
    as_table([say(f"cli.column.{name}") for name in ("pass", "statements", "reads", "megabytes")], costs)
    if plan.bytes is not None:
        told = sum(each.bytes or 0 for each in plan.passes)
        click.echo(say("cli.validate.cost", read=f"{told / 10**6:.1f}", whole=f"{plan.bytes / 10**6:.1f}"))
    if plan.files is not None:
        click.echo(say("cli.validate.files", known=plan.known, files=plan.files))
    for name, message in plan.failed.items():
        click.echo(say("cli.validate.uncomputed", name=name, message=message))


def _listed(names: tuple[str, ...]) -> str:
    """Who shares a result; of many the first ones."""
    more = len(names) - _NAMED
    listed = ", ".join(names if more <= 1 else names[:_NAMED])
    return listed if more <= 1 else say("cli.validate.more", names=listed, more=more)


def _show(found: dict[str, Any]) -> None:
    rows = []
    # What doesn't hold comes first, and what nobody knows before it.
    order = ("not_computed", "broken", "held")
    for result in sorted(found["results"], key=lambda result: order.index(_outcome(result))):
        asked = result["expectation_config"]
        shown = {k: v for k, v in asked["kwargs"].items() if k != "batch_id" and v is not None}
        told = result.get("result") or {}
        errors = [e["exception_message"] for e in _exceptions(result.get("exception_info") or {})]
        rows.append(
            (
                say(f"cli.outcome.{_outcome(result)}"),
                asked["type"],
                ", ".join(f"{k}={v}" for k, v in shown.items()),
                errors[0] if errors else told.get("unexpected_count", told.get("observed_value")),
            )
        )
    as_table([say(f"cli.column.{name}") for name in ("outcome", "expectation", "arguments", "observed")], rows)
    counts = found["statistics"]
    click.echo(say("cli.validate.sum", met=counts["successful_expectations"], all=counts["evaluated_expectations"]))
    if unknown := sum(_outcome(result) == "not_computed" for result in found["results"]):
        click.echo(say("cli.validate.unknown", unknown=unknown))


def _outcome(result: dict[str, Any]) -> str:
    """Held, broken, or not computed: an error says nothing about the data."""
    if result["success"]:
        return "held"
    return "not_computed" if _exceptions(result.get("exception_info") or {}) else "broken"


def _exceptions(info: dict[str, Any]) -> list[dict[str, Any]]:
    """GX tells of errors either directly or by metric."""
    nested = [info] if "raised_exception" in info else [v for v in info.values() if isinstance(v, dict)]
    return [e for e in nested if e.get("raised_exception")]
