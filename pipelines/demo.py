"""Shows the gate at work on real data, from the first delivery to a door that closes: ``python -m pipelines.demo``.

Begins anew each time: what an earlier demo left in ``inbox/``, ``reports/`` and the demo profile's folder is removed.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

import ecluse
from ecluse.errors import Refused
from ecluse.project import Project
from pipelines.stage import Stage, WentWrong

PRODUCTS = ("products.delay_features", "products.cancelled_by_carrier")
FEATURES, PURPOSE, VERSION = PRODUCTS[0], "delay-prediction", "1.0.0"
#: People of the charter who answer for the data; in a demo their keys are on this machine.
STEWARD, OWNER = "p-4f8a21", "p-b07c63"
#: The study of real people, who asks for it, and who protects them.
DEBUTS, ANALYST, PROTECTION = "products.debuts", "s-study", "p-91c4de"
#: The month that arrives a second time, damaged.
DAMAGED = "2013-12"
#: When the scheduled check finds that no newer flights have come, unless ``--at`` says otherwise.
LATER = datetime(2014, 2, 20, tzinfo=UTC)


def main() -> None:
    """Run the demo; ends with 1 where the story did not go as told."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--at", type=lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC), default=LATER, metavar="DATE",
        help=f"when the last scheduled check takes place (default: {LATER.date()})",
    )  # fmt: skip
    at = parser.parse_args().at
    # NOTE: without a terminal rich takes 80 columns, in which the tables break.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140, highlight=False, soft_wrap=False)
    project = Project.find(Path(__file__).parents[1], "demo")
    started, used = time.monotonic(), time.process_time()
    clear(project)
    with Stage.opened(project, console) as stage:
        for number, (title, act) in enumerate(ACTS, 1):
            console.print()
            console.print(Rule(f"[bold]{number}. {title}", align="left"))
            act(stage) if act is not check_later else check_later(stage, at)
        console.print()
        console.print(Rule("[bold]Summary", align="left"))
        stage.summary()
    console.print(
        f"\n{time.monotonic() - started:.0f} seconds ({time.process_time() - used:.0f} of processor time). "
        "Next: [bold]make up[/] opens the Dagster UI on this project."
    )


def clear(project: Project) -> None:
    """Remove what an earlier demo left."""
    for folder in (project.state, project.root / "inbox", project.root / "reports"):
        shutil.rmtree(folder, ignore_errors=True)


def collect(stage: Stage) -> None:
    """Everything but the flights: collected, cleaned, and the airport directory in two dated releases."""
    from pipelines import arrivals

    arrivals.deliver_directory(arrivals.FIRST_RELEASE)
    stage.run("collect")
    arrivals.deliver_directory(arrivals.SECOND_RELEASE)
    stage.run("collect", note=f"release {arrivals.SECOND_RELEASE} of the airport directory arrived")


def update(stage: Stage) -> None:
    """Flights arrive month by month; each month is collected, cleaned, checked and published."""
    from pipelines import arrivals

    stage.run_months(arrivals.months(), before=arrivals.deliver_month)
    stage.run("summarise")
    stage.show_findings()


def refuse(stage: Stage) -> None:
    """A release is made, and refused as long as nobody answered for it."""
    stage.call("release", "create", *PRODUCTS, "--version", VERSION)
    stage.say(f'>>> ecluse.load("{FEATURES}", purpose="{PURPOSE}")')
    try:
        ecluse.load(FEATURES, purpose=PURPOSE, project=stage.project.root)
    except Refused as refusal:
        stage.say(str(refusal))
    else:
        raise WentWrong("a release that nobody approved was loaded.")


def approve(stage: Stage) -> None:
    """The scheduled check is held; the people who answer for the data see it and say yes; the sheet says OPEN."""
    for product in PRODUCTS:
        stage.check(product)
    stage.call("waiting")
    until = f"{datetime.now(UTC) + timedelta(days=180):%Y-%m-%d}"
    for party, reason in (
        (STEWARD, "Row counts agree with the deliveries; every repair has a reason."),
        (OWNER, "What the label leaves out is known by carrier and acceptable for a trial."),
    ):
        said = ("--as", party, "--reason", reason, "--until", until, "--yes")
        stage.call("approve", FEATURES, "--question", "data-valid", *said)
    stage.call("why", FEATURES, "--purpose", PURPOSE)
    stage.sheet(FEATURES, PURPOSE, "OPEN")


def train(stage: Stage) -> None:
    """The model reads through the door; its predictions are a guarded dataset, and its score a KPI computed on them."""
    stage.run("train")
    stage.call("kpi", "observe", "auc")
    stage.note_model()
    stage.call("plan", FEATURES, ends_with=3)


def people(stage: Stage) -> None:
    """Real people: coarse for the analyst, clear for who protects them, closed for what the charter prohibits."""
    stage.run("study")
    with reading_as(ANALYST):
        looked = ecluse.load(DEBUTS, purpose="age-study", phase="poc", project=stage.project.root)
    stage.say(
        f"{looked.arrow().num_rows:,} players can be looked at before their release: "
        + "; ".join(warning.text() for warning in looked.verdict.warnings)
    )
    stage.call("release", "create", DEBUTS, "--version", VERSION)
    until = f"{datetime.now(UTC) + timedelta(days=180):%Y-%m-%d}"
    for party, reason in (
        (STEWARD, "Every player with a first game is there."),
        (OWNER, "Ages of groups are what the study asks for."),
    ):
        said = ("--as", party, "--reason", reason, "--until", until, "--yes")
        stage.call("approve", DEBUTS, "--question", "data-valid", *said)
    for reader in (ANALYST, PROTECTION):
        with reading_as(reader):
            loaded = ecluse.load(DEBUTS, purpose="age-study", project=stage.project.root)
            stage.rows(f"What {reader} sees", loaded.arrow().slice(0, 3))
    with reading_as(ANALYST):
        try:
            ecluse.load(DEBUTS, purpose="fan-marketing", project=stage.project.root)
        except Refused as refusal:
            stage.say(str(refusal))
        else:
            raise WentWrong("a purpose that the charter prohibits was let through.")
    stage.call("access", "log", "--dataset", DEBUTS)


@contextmanager
def reading_as(party: str) -> Iterator[None]:
    """Read as one of the parties whose keys a demo has on this machine."""
    before = os.environ.get("ECLUSE_READER")
    os.environ["ECLUSE_READER"] = party
    try:
        yield
    finally:
        os.environ.pop("ECLUSE_READER")
        if before is not None:
            os.environ["ECLUSE_READER"] = before


def damage(stage: Stage) -> None:
    """A damaged month arrives: it is blocked, and the model still reads the last good release."""
    from pipelines import arrivals

    arrivals.deliver_damaged_month(DAMAGED)
    stage.run("update_month", partition=DAMAGED, succeeds=False, note=f"{DAMAGED} arrived again, delays in seconds")
    stage.call("why", "clean.flights")
    loaded = ecluse.load(FEATURES, purpose=PURPOSE, project=stage.project.root)
    stage.say(f"The model still reads release {loaded.version}: {loaded.arrow().num_rows:,} flights.")


def check_later(stage: Stage, at: datetime = LATER) -> None:
    """Weeks later no newer flights came: the scheduled check breaks, and the door closes."""
    for product in PRODUCTS:
        stage.check(product, at, holds=False)
    stage.call("why", FEATURES, "--purpose", PURPOSE, ends_with=3)
    stage.sheet(FEATURES, PURPOSE, "REFUSED")


#: The story, in order.
ACTS: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    ("Sources are collected and cleaned", collect),
    ("Twelve months of flights arrive, one after another", update),
    ("A release is made, and the door stays closed", refuse),
    ("It is checked and approved, and the door opens", approve),
    ("The model reads through the door", train),
    ("Data about people opens as far as each purpose needs", people),
    ("A damaged month arrives, and is blocked", damage),
    ("The data grows old, and the door closes", check_later),
)


if __name__ == "__main__":
    main()
