"""Asks a suite of one batch: GX says what it needs and judges, one scan measures, GX computes what has no SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any

from ecluse import texts
from ecluse.engine import Watch
from ecluse.model.tablefiles import TableFiles
from ecluse.quality import gx
from ecluse.quality.batch import Batch, CannotCompute, Unknown
from ecluse.quality.merged import MergedPlan
from ecluse.quality.plan import ECLUSE, Measure, Plan, Planner, planned
from ecluse.quality.promises import check_name
from ecluse.quality.types import type_answer

#: Above this many rows GX's own engine, which holds them all in memory, isn't asked.
GX_ROW_LIMIT = 5_000_000


@dataclass(frozen=True)
class Answer:
    """One expectation's result. ``message`` is set where it could not be computed.

    ``foreign`` tells that the message comes from a library and may quote values of the data.
    """

    result: gx.ValidationResult
    executed_by: str
    message: str | None = None
    foreign: bool = False


@dataclass
class _Case:
    """One expectation on its way: the metrics that it needs and where each comes from."""

    given: gx.Expectation
    expectation: gx.Expectation
    measures: dict[Any, Measure]
    foreign: list[gx.Metric]
    needs: gx.Dependencies = None
    answer: Answer | None = None
    broken: gx.Metric | None = None


class Evaluation:
    """A suite's expectations about one batch, answered in their order.

    ``parameters`` fill GX's suite parameters. ``gx_row_limit`` is the most rows that are handed to GX's own engine.
    ``files`` are the batch's data files, where what was measured of each before should not be measured again.
    ``watch`` is told how far the work is.
    """

    def __init__(
        self,
        batch: Batch,
        expectations: Sequence[gx.Expectation],
        result_format: dict[str, Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        gx_row_limit: int = GX_ROW_LIMIT,
        files: TableFiles | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.batch, self.result_format, self.gx_row_limit = batch, result_format, gx_row_limit
        self.expectations = list(expectations)
        self.parameters = dict(parameters or {})
        self.plan: Planner = Plan(batch) if files is None else MergedPlan(batch, files)
        self._planner = gx.module("great_expectations.execution_engine").PandasExecutionEngine()
        self._loaded: Any = None
        self._watch = watch or Watch()
        self._tell("planning", 0)
        with gx.quiet(), gx.once():
            self._cases = [self._case(e) for e in self.expectations]

    @cached_property
    def answers(self) -> list[Answer]:
        """What was found, in the order of the expectations; the first look at it scans the batch."""
        with gx.quiet():
            self._tell("scanning", 0)
            self.plan.run()
            return self._judge(self._cases)

    def _tell(self, stage: str, done: int) -> None:
        self._watch.stage, self._watch.done, self._watch.total = stage, done, len(self.expectations)

    def _case(self, given: gx.Expectation) -> _Case:
        case = _Case(given, given, {}, [])
        self.batch.asking = _name(given)
        self._watch.done += 1
        try:
            case.expectation = _with_times(self.batch, _with_parameters(given, self.parameters))
            if (found := type_answer(self.batch, case.expectation)) is not None:
                found.meta = {"ecluse": {"executed_by": ECLUSE}}
                self.batch.note("schema", case.expectation.configuration.type)
                case.answer = Answer(found, "ecluse")
                return case
            counted = f"{gx.map_metric(case.expectation)}.unexpected_count"
            case.needs = self._dependencies(case.expectation)
            for metric in case.needs.get_metric_configurations():
                if metric.metric_name == counted:
                    case.broken = metric
                measure = planned(self.plan, metric)
                if measure is None:
                    case.foreign.append(metric)
                else:
                    case.measures[metric.id] = measure
        except CannotCompute as error:
            case.answer = _failed(given, str(error), "ecluse")
        except Exception as error:  # noqa: BLE001 # a suite may hold any class; what fails is "could not be computed"
            case.answer = _failed(given, _text(error), "gx", foreign=True)
        return case

    def _dependencies(self, expectation: gx.Expectation) -> gx.Dependencies:
        try:
            return gx.dependencies(expectation, self._planner, self.result_format)
        except Exception:  # noqa: BLE001 # some expectations look at the batch itself to decide
            self._planner = self._gx_engine()
            return gx.dependencies(expectation, self._planner, self.result_format)

    def _gx_engine(self) -> Any:
        """GX's own engine with the whole batch, loaded once; refused where it would not fit."""
        if self._loaded is None:
            rows = self.batch.engine.scalar(f"SELECT count(*) FROM {self.batch.relation}")
            if rows > self.gx_row_limit:
                raise CannotCompute(texts.say("quality.too_many_rows", rows=rows, limit=self.gx_row_limit))
            self._loaded = gx.pandas_engine(self.batch.to_pandas())
        return self._loaded

    def _judge(self, cases: list[_Case]) -> list[Answer]:
        foreign = [m for case in cases if case.answer is None for m in case.foreign]
        values: dict[Any, Any] = {}
        messages: dict[Any, str] = {}
        if foreign:
            try:
                values, messages = gx.compute(self._gx_engine(), foreign)
            except CannotCompute as error:
                for case in cases:
                    if case.answer is None and case.foreign:
                        case.answer = _failed(case.given, str(error), "gx")
            except Exception as error:  # noqa: BLE001 # the message becomes the outcome "could not be computed"
                messages = {m.id: _text(error) for m in foreign}
        self._tell("judging", 0)
        return [self._judged(case, values, messages) for case in cases]

    def _judged(self, case: _Case, values: dict[Any, Any], messages: dict[Any, str]) -> Answer:
        self._watch.done += 1
        return case.answer or self._answer(case, values, messages)

    def _answer(self, case: _Case, values: dict[Any, Any], messages: dict[Any, str]) -> Answer:
        executed_by = "gx" if case.foreign else "ecluse"
        for metric in case.foreign:
            if metric.id in messages:
                return _failed(case.given, messages[metric.id], executed_by, foreign=True)
        try:
            metrics = {key: measure() for key, measure in case.measures.items()}
            if not case.foreign:
                executed_by = self.plan.executed_by(metrics)
            metrics |= {m.id: values[m.id] for m in case.foreign}
            result = gx.judge(case.expectation, case.needs, metrics, self._planner, self.result_format)
        except Exception as error:  # noqa: BLE001 # the message becomes the outcome "could not be computed"
            return _failed(case.given, _text(error), executed_by, foreign=True)
        result.expectation_config = case.given.configuration
        result.meta = {**(result.meta or {}), "ecluse": {"executed_by": executed_by}}
        return Answer(result, executed_by)

    @property
    def failed(self) -> dict[str, str]:
        """Why expectations can't be computed, as far as planning tells, by name."""
        cases = [case for case in self._cases if case.answer is not None and case.answer.message is not None]
        return {_name(case.given): str(case.answer.message) for case in cases if case.answer is not None}

    def breaks(self, index: int) -> bool:
        """Whether rows break the row-level expectation at ``index``; true also where only finding them tells."""
        assert self.answers, "measured before it is asked"
        metric = self._cases[index].broken
        measure = None if metric is None else self._cases[index].measures.get(metric.id)
        return measure is None or bool(measure())

    def broken_rows(self, index: int) -> str | list[int]:
        """The rows that break the row-level expectation at ``index``: SQL over the batch, or positions from GX."""
        metric = self._cases[index].broken
        assert metric is not None, "only row-level expectations are broken by rows"
        name = metric.metric_name.removesuffix(".unexpected_count")
        domain, values = dict(metric.metric_domain_kwargs), dict(metric.metric_value_kwargs)
        try:
            return self.plan.question(name, domain, values).broken(self.batch.relation)
        except Unknown:
            kind = gx.module("great_expectations.validator.metric_configuration").MetricConfiguration
            complete = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "include_unexpected_rows": False}
            wanted = kind(f"{name}.unexpected_index_list", domain, {**values, "result_format": complete})
            found, messages = gx.compute(self._gx_engine(), [wanted])
            if wanted.id in messages:
                raise CannotCompute(messages[wanted.id]) from None
            return [int(i) for i in found[wanted.id]]


def _name(expectation: gx.Expectation) -> str:
    configuration = expectation.configuration
    return check_name(configuration.type, configuration.kwargs)


def _failed(expectation: gx.Expectation, message: str, executed_by: str, *, foreign: bool = False) -> Answer:
    result = gx.failure(expectation, message)
    result.meta = {"ecluse": {"executed_by": executed_by}}
    return Answer(result, executed_by, message, foreign)


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _with_parameters(expectation: gx.Expectation, parameters: dict[str, Any]) -> gx.Expectation:
    """``expectation`` with GX's suite parameters filled in."""
    found = {}
    for name, value in expectation.dict(exclude_defaults=True).items():
        if isinstance(value, dict) and "$PARAMETER" in value:
            parse = gx.module("great_expectations.core.suite_parameters").parse_suite_parameter
            found[name] = parse(value["$PARAMETER"], parameters)
    return expectation.copy(update=found) if found else expectation


def _with_times(batch: Batch, expectation: gx.Expectation) -> gx.Expectation:
    """``expectation`` with its bounds as the column's own kind of time: GX compares a date with no date-time."""
    column = getattr(expectation, "column", None)
    if column not in batch.types or column in batch.opaque:
        return expectation
    kind, found = batch.kind(column), {}
    if kind not in ("date", "timestamp", "timestamptz"):
        return expectation
    for name in ("min_value", "max_value"):
        value = getattr(expectation, name, None)
        if isinstance(value, date):
            found[name] = _as_kind(kind, value)
    return expectation.copy(update=found) if found else expectation


def _as_kind(kind: str, value: date) -> date:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if kind == "date":
        return moment.astimezone(UTC).date() if moment.timetz() == time(tzinfo=moment.tzinfo) else value
    return moment.astimezone(UTC) if kind == "timestamptz" else moment.astimezone(UTC).replace(tzinfo=None)
