"""The command ``ecluse``: its groups, the options that stand before them, and what an error looks like."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from ecluse import texts
from ecluse.cli import (
    access,
    acknowledge,
    candidate,
    charter,
    check,
    compact,
    db,
    decisions,
    doctor,
    hold,
    init,
    key,
    kpi,
    lineage,
    log,
    people,
    plan,
    profile,
    promote,
    quarantine,
    read,
    release,
    report,
    run,
    status,
    suggest,
    sweep,
    validate,
    verify,
    waiting,
    why,
)
from ecluse.cli.session import Session
from ecluse.cli.show import as_json
from ecluse.errors import EcluseError, Refused

#: Exit codes: a command that did what it should, an unexpected error, an error that says what to try, a closed door.
OK, UNEXPECTED, FAILED, REFUSED = 0, 1, 2, 3
#: What shells make of Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130

#: The verbs of every day first, then the groups by noun. Their modules import nothing heavy until a command runs.
COMMANDS: tuple[click.Command, ...] = (
    run.command,
    status.command,
    why.command,
    waiting.command,
    plan.command,
    report.command,
    check.command,
    validate.command,
    profile.command,
    suggest.command,
    decisions.approve,
    decisions.reject,
    decisions.waive,
    decisions.withdraw,
    acknowledge.command,
    promote.command,
    verify.command,
    init.command,
    doctor.command,
    read.command,
    sweep.command,
    compact.command,
    release.group,
    hold.group,
    quarantine.group,
    candidate.group,
    lineage.group,
    charter.group,
    access.group,
    kpi.group,
    people.group,
    log.group,
    key.group,
    db.group,
)


class _InOrder(click.Group):
    """A group that lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the name is click's
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--project", metavar="DIR", help="The project's folder. Default: ECLUSE_PROJECT, then the nearest charter.yaml."
)
@click.option("--profile", metavar="NAME", help="A profile of the project's pyproject.toml. Default: ECLUSE_PROFILE.")
@click.option("--lang", type=click.Choice(texts.LANGUAGES), default="en", help="The language of messages and reports.")
@click.option("--json", is_flag=True, help="Print JSON for machines instead of tables for people. May stand anywhere.")
@click.option("--debug", is_flag=True, help="Show where in the code an unexpected error came from.")
@click.version_option(package_name="ecluse", message="%(version)s")
@click.pass_context
def app(context: click.Context, project: str | None, profile: str | None, lang: str, json: bool, debug: bool) -> None:  # noqa: ARG001 - debug is read where errors end
    """No dataset reaches a model until its checks passed, its sources are known and the right people approved.

    \b
    Example:
      ecluse run clean.flights --partition 2013-01
      ecluse why products.delay_features --purpose delay-prediction
    """
    texts.set_language(lang)
    if profile is not None:
        # NOTE: code of the project (assets, a demo) finds its profile the same way as this command.
        os.environ["ECLUSE_PROFILE"] = profile
    context.obj = Session(project, profile, json)


for _command in COMMANDS:
    app.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(call(sys.argv[1:] if arguments is None else arguments))


def call(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    arguments = _flags_first(arguments)
    try:
        # NOTE: a command that ends early gives its exit code as the result; the others give None.
        ended = app.main(arguments, prog_name="ecluse", standalone_mode=False)
    except click.Abort as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            return INTERRUPTED
        click.echo("\n" + texts.say("cli.unanswered"), err=True)
        return UNEXPECTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except EcluseError as error:
        _tell(error, as_data="--json" in arguments)
        return REFUSED if isinstance(error, Refused) else FAILED
    except Exception as error:  # noqa: BLE001 - the last border: what isn't ours is shown as a defect, not as data
        if "--debug" in arguments:
            traceback.print_exc()
        else:
            click.echo(texts.say("cli.unexpected", kind=type(error).__name__, error=error), err=True)
        return UNEXPECTED
    return ended if isinstance(ended, int) else OK


def _flags_first(arguments: Sequence[str]) -> list[str]:
    """``ecluse status --json`` as ``ecluse --json status``: both flags may stand anywhere before a ``--``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    flags = [argument for argument in arguments[:end] if argument in ("--json", "--debug")]
    return [*flags, *(a for a in arguments[:end] if a not in flags), *arguments[end:]]


def _tell(error: EcluseError, *, as_data: bool) -> None:
    if not as_data:
        click.echo(str(error), err=True)
        return
    parts = {name: error.part(name) for name in ("received", "allowed", "hint")}
    found: dict[str, object] = {"error": type(error).__name__, "key": error.key, **parts}
    if isinstance(error, Refused):
        found["reasons"] = [{"key": r.key, "text": r.text(), "facts": r.facts} for r in error.verdict.reasons]
    as_json(found)
