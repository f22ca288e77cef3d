"""What the demo's acts do: run jobs in this process, call ``ecluse``, and print what came of it."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import dagster
import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ecluse.cli.app import call
from ecluse.model.outcome import Outcome
from ecluse.model.step import StepDefinition
from ecluse.orchestration.checks import suite_of
from ecluse.orchestration.execute import on_result
from ecluse.orchestration.outbox import hand_on
from ecluse.orchestration.runner import dagster_instance, load_definitions, load_steps
from ecluse.project import Project
from ecluse.step.recheck import check_published
from ecluse.step.services import open_services
from ecluse.step.state import Ending, StepResult

#: Dagster's own lines would hide the story; the instance keeps them for the UI.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class WentWrong(SystemExit):
    """The story did not go as told: something that should hold did not, or the other way round."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The demo did not go as told: {what}")


@dataclass
class Stage:
    """The project, Dagster's instance, the terminal, every step's result so far, and lines for the summary."""

    project: Project
    console: Console
    instance: dagster.DagsterInstance
    definitions: dagster.Definitions
    steps: Mapping[str, StepDefinition]
    results: list[StepResult] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def opened(cls, project: Project, console: Console) -> Iterator["Stage"]:
        """A stage on the project's Dagster instance, so that ``make up`` shows what the demo did."""
        with console.status("Loading the project …"):
            definitions = load_definitions(project)
        with dagster_instance(project) as instance:
            stage = cls(project, console, instance, definitions, load_steps(project))
            token = on_result.set(stage.results.append)
            try:
                yield stage
            finally:
                on_result.reset(token)

    def say(self, text: str) -> None:
        """A line of the story."""
        self.console.print(text, markup=False)

    def run(self, job: str, *, partition: str | None = None, succeeds: bool = True, note: str = "") -> None:
        """Run a Dagster job in this process and print each step's ending."""
        if note:
            self.say(f"{note}:")
        before = len(self.results)
        with self.console.status(f"{job} …"):
            self._execute(job, partition, succeeds=succeeds)
        for result in self.results[before:]:
            self._tell(result)

    def run_months(self, months: Sequence[str], *, before: Callable[[str], object]) -> None:
        """Run the monthly job for each month, after ``before`` let its delivery arrive."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        start = len(self.results)
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task("months", total=len(months))
            for month in months:
                progress.update(task, description=month)
                before(month)
                self._execute("update_month", month, succeeds=True)
                progress.advance(task)
        for dataset, rows in _by_dataset(self.results[start:]).items():
            held = sum(r.quarantined for r in rows)
            self.say(
                f"  {dataset}: {len(rows)} months, {sum(r.rows for r in rows):,} rows published, {held} quarantined"
            )

    def call(self, *arguments: str, ends_with: int = 0) -> None:
        """Call ``ecluse`` as a person would, and show the call."""
        self.console.print(f"[bold]$ ecluse {shlex.join(arguments)}", highlight=False)
        code = call(["--project", str(self.project.root), "--profile", self.project.profile, *arguments])
        if code != ends_with:
            raise WentWrong(f"ecluse {arguments[0]} ended with {code} instead of {ends_with}.")

    def rows(self, title: str, shown: pa.Table) -> None:
        """A few rows as a reader gets them."""
        table = Table(*shown.column_names, box=SIMPLE_HEAD, title=title, title_justify="left")
        for row in shown.to_pylist():
            table.add_row(*("–" if value is None else str(value)[:24] for value in row.values()))
        self.console.print(table)

    def check(self, dataset: str, at: datetime | None = None, *, holds: bool = True) -> None:
        """Carry out the scheduled check of what is published, as of a time."""
        services = open_services(self.project)
        try:
            report = check_published(services, self.steps[dataset], at)
        finally:
            services.close()
        when = f"{at or self.project.data_now():%Y-%m-%d}"
        broken = [c.name for c in report.checks if c.blocks]
        self.say(
            f"Scheduled check of {dataset} on {when}: {report.outcome}{': ' + ', '.join(broken) if broken else ''}"
        )
        if (report.outcome is Outcome.HELD) is not holds:
            raise WentWrong(f"the check of {dataset} on {when} was {report.outcome}.")

    def sheet(self, dataset: str, purpose: str, word: str) -> None:
        """Write the release sheet that says ``word``."""
        file = self.project.root / "reports" / f"{dataset.rpartition('.')[2]}-{word.lower()}.html"
        file.parent.mkdir(exist_ok=True)
        shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
        self.call("report", dataset, "--purpose", purpose, "-o", str(shown))
        self.facts[f"sheet, {word}"] = str(shown)

    def show_findings(self) -> None:
        """What the suites found in all of the data: the promise that some rows break, and what became of them."""
        said = {name: {p.name: p.description for p in suite_of(step).promises} for name, step in self.steps.items()}
        table = Table("rows", "dataset", "promise that they break", "", box=SIMPLE_HEAD, pad_edge=False)
        table.columns[0].justify = "right"
        for (dataset, name), (severity, rows, became) in sorted(_findings(self.results).items()):
            table.add_row(f"{rows:,}", dataset, said[dataset].get(name) or name, f"{severity}: {became}")
        self.console.print(table)

    def note_model(self) -> None:
        """Keep the newest observation of the model's score for the summary."""
        services = open_services(self.project)
        try:
            evidence = [f.fact.predicate for f in services.log.facts(kind="evidence")]
            newest = [e for e in evidence if e["about"] == "kpi"][-1]
            kpi = next(k for k in services.charter.kpis if k.id == newest["kpi"])
        finally:
            services.close()
        said = f"AUC {newest['value']:.3f} on October to December (baseline {kpi.baseline}, target {kpi.target})"
        self.facts["model"] = f"{said}, trained on {newest['dataset']}@{newest['version']}"

    def summary(self) -> None:
        """One screen: what came in, what was held back, what the door says, and where the records are."""
        hand_on(self.project)
        services = open_services(self.project)
        try:
            state = services.log.verify()
            events = sum(1 for _ in services.events.events())
        finally:
            services.close()
        published = [r for r in self.results if r.ending is Ending.PUBLISHED]
        blocked = [r for r in self.results if r.ending is Ending.BLOCKED]
        held = {r.dataset: sum(o.quarantined for o in published if o.dataset == r.dataset) for r in published}
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_row("published", f"{len(published)} steps, each with every row accounted for")
        table.add_row("quarantined", ", ".join(f"{dataset}: {rows}" for dataset, rows in held.items() if rows))
        table.add_row("blocked", ", ".join(f"{r.dataset} [{r.partition}]" for r in blocked))
        for name, fact in sorted(self.facts.items()):
            table.add_row(name, fact)
        table.add_row("log", f"{state.size} signed facts, verified; root {state.root[:16]}…")
        table.add_row("lineage", f"{events} OpenLineage events, in lineage/events/")
        self.console.print(table)

    def _execute(self, job: str, partition: str | None, *, succeeds: bool) -> None:
        done = self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition, run_config=QUIET, raise_on_error=False
        )
        if done.success is not succeeds:
            raise WentWrong(f"the job {job} {'failed' if succeeds else 'succeeded'}.{_why(done)}")

    def _tell(self, result: StepResult) -> None:
        name = result.dataset + (f" [{result.partition}]" if result.partition else "")
        more = f", {result.quarantined} quarantined" if result.quarantined else ""
        self.say(f"  {result.ending:<9} {name}: {result.rows:,} rows{more}")
        for block in result.blocks:
            self.say(f"            {block.text()}")


def _by_dataset(results: Sequence[StepResult]) -> Mapping[str, list[StepResult]]:
    found: dict[str, list[StepResult]] = {}
    for result in results:
        found.setdefault(result.dataset, []).append(result)
    return found


def _findings(results: Sequence[StepResult]) -> dict[tuple[str, str], tuple[str, int, str]]:
    """Rows that break a promise, over the newest result of each dataset and partition."""
    newest = {(r.dataset, r.partition): r for r in results if r.ending is Ending.PUBLISHED}
    found: dict[tuple[str, str], tuple[str, int, str]] = {}
    for (dataset, _), result in newest.items():
        for check in result.checks:
            if check.outcome is Outcome.BROKEN:
                rows = found.get((dataset, check.name), ("", 0, ""))[1] + (check.unexpected_count or 0)
                became = "quarantined" if check.quarantined else "published"
                found[dataset, check.name] = (check.severity.value, rows, became)
    return found


def _why(done: dagster.ExecuteInProcessResult) -> str:
    """What each failed step says, down to the cause."""
    said = []
    for event in done.get_step_failure_events():
        found = event.step_failure_data
        error = found.error
        while error is not None and error.cause is not None:
            error = error.cause
        own = found.user_failure_data.description if found.user_failure_data else None
        said.append(f"\n{event.step_key}: {own or (error.message if error else '?')}")
    return "".join(said)
