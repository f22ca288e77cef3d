"""Loads Great Expectations once, quietly; every use of it in Écluse goes through here.

GX 1.24 sends no telemetry and Écluse never builds a data context, so that no configuration of the machine is read.
Its import takes seconds: it happens when a suite is built or judged, never with ``import ecluse``.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

#: GX objects are ``Any`` to the type checker: following GX's own annotations costs it minutes.
Expectation = Any
Metric = Any
Dependencies = Any
ValidationResult = Any
SuiteResult = Any


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the warnings of GX and of what it calls: they are about GX's code, not the user's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def module(name: str = "great_expectations") -> Any:
    """A module of GX, imported without its warnings about the standard library's deprecated modules."""
    with quiet():
        importlib.import_module("great_expectations")
        return importlib.import_module(name)


def expectations() -> Any:
    """The module that holds GX's expectation classes."""
    return module("great_expectations.expectations")


#: What was made inside ``once`` from an object, by what was made and the object's ``id``; both are kept alive.
_made: ContextVar[dict[tuple[str, int], tuple[Any, Any]] | None] = ContextVar("made", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Makes GX build an expectation's configuration and arguments, and an expectation from it, once, not 100 times.

    None of them may be changed meanwhile; GX's calls don't. Outside, and in other threads, GX goes on as ever.
    """
    if _made.get() is not None:
        yield
        return
    _remember()
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


@cache
def _remember() -> None:
    expectation = module("great_expectations.expectations.expectation").Expectation
    expectation.configuration = property(_made_once("configuration", expectation.configuration.fget))
    configuration = module("great_expectations.expectations.expectation_configuration").ExpectationConfiguration
    configuration.to_domain_obj = _made_once("expectation", configuration.to_domain_obj)
    arguments = _made_once("arguments", expectation._get_success_kwargs)  # noqa: SLF001 # GX asks it for every metric
    # A dictionary of its own for each who asks, because some put something in.
    expectation._get_success_kwargs = lambda given: dict(arguments(given))  # noqa: SLF001
    ids = module("great_expectations.core.id_dict")
    ids.convert_to_json_serializable = _plainly(ids.convert_to_json_serializable)


#: What is JSON as it is; a float may be NaN, which isn't.
_PLAIN = (str, int, bool, type(None))


def _plainly(convert: Callable[..., Any]) -> Callable[..., Any]:
    """GX's ``convert`` to JSON, spared for what is JSON already: it asks NumPy eight times what ``None`` is."""

    def converted(data: Any) -> Any:
        if type(data) in _PLAIN:
            return data
        if type(data) is dict:
            return {str(key): converted(value) for key, value in data.items()}
        return convert(data)

    return converted


def _made_once(what: str, make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def made(source: Any) -> Any:
        known = _made.get()
        if known is None:
            return make(source)
        key = what, id(source)
        if key not in known:
            known[key] = source, make(source)
        return known[key][1]

    return made


def parse_time(text: str) -> Any:
    """The date and time that GX reads in ``text``; ``ValueError`` or ``OverflowError`` where it reads none."""
    return module("dateutil.parser").parse(text)


def pandas_engine(frame: Any) -> Any:
    """GX's own pandas engine with ``frame`` as its only batch."""
    engine = module("great_expectations.execution_engine").PandasExecutionEngine()
    engine.load_batch_data("ecluse", frame)
    return engine


def compute(engine: Any, metrics: list[Metric]) -> tuple[dict[Any, Any], dict[Any, str]]:
    """The values that GX's own ``engine`` finds for ``metrics``, and the message of each that it could not compute."""
    values, messages = _resolved(engine, metrics)
    for metric in metrics if len(metrics) > 1 else ():
        if metric.id not in values:
            # GX gives up the others together with the one that failed: each is asked alone, and has its own message.
            alone, own = _resolved(engine, [metric])
            values, messages = {**values, **alone}, {**messages, **own}
    return values, {key: text for key, text in messages.items() if key not in values}


def _resolved(engine: Any, metrics: list[Metric]) -> tuple[dict[Any, Any], dict[Any, str]]:
    kind = module("great_expectations.validator.metrics_calculator").MetricsCalculator
    calculator = kind(execution_engine=engine, show_progress_bars=False)
    try:
        with quiet():
            graph = calculator.build_metric_dependency_graph(metric_configurations=metrics, runtime_configuration={})
            # NOTE: compute_metrics() would log the exceptions of failing metrics, which quote values of the data.
            values, aborted = calculator.resolve_validation_graph(graph=graph, runtime_configuration={})
    except Exception as error:  # noqa: BLE001 # the message becomes the outcome "could not be computed"
        return {}, {metric.id: str(error) or type(error).__name__ for metric in metrics}
    infos = [entry["exception_info"] for entry in aborted.values()]
    messages = {}
    for metric in metrics:
        own = aborted.get(metric.id, {}).get("exception_info") or next(iter(infos), None)
        messages[metric.id] = metric.metric_name if own is None else str(own["exception_message"])
    return values, messages


def map_metric(expectation: Expectation) -> str | None:
    """The metric that says of each row whether it keeps ``expectation``; ``None`` where rows aren't asked."""
    base = module("great_expectations.expectations.expectation")
    kinds = (base.ColumnMapExpectation, base.ColumnPairMapExpectation, base.MulticolumnMapExpectation)
    return expectation.map_metric if isinstance(expectation, kinds) else None


def dependencies(expectation: Expectation, engine: Any, result_format: dict[str, Any]) -> Dependencies:
    """The metrics that ``expectation`` needs for results in ``result_format``, as GX decides."""
    runtime = {"result_format": dict(result_format)}
    with once():
        return expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)


def judge(
    expectation: Expectation,
    needs: Dependencies,
    metrics: dict[Any, Any],
    engine: Any,
    result_format: dict[str, Any],
) -> ValidationResult:
    """GX's own judgement of ``expectation`` from the values of the metrics that it ``needs``."""
    runtime = {"result_format": dict(result_format)}
    validate = type(expectation).metrics_validate
    own = validate is not module("great_expectations.expectations.expectation").Expectation.metrics_validate
    with once():
        # An expectation that judges by a method of its own has to be that method's.
        given = expectation if own else _Told(expectation, needs)
        return validate(given, metrics, runtime_configuration=runtime, execution_engine=engine)


class _Told:
    """An expectation that knows what it needs: GX asks again while it judges, which takes as long as judging."""

    def __init__(self, expectation: Expectation, needs: Dependencies) -> None:
        self._expectation, self._needs = expectation, needs

    def get_validation_dependencies(self, **_: Any) -> Dependencies:
        return self._needs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._expectation, name)


def answer(expectation: Expectation, *, success: bool, result: dict[str, Any]) -> ValidationResult:
    """A GX result that was judged without metrics."""
    kind = module("great_expectations.core.expectation_validation_result").ExpectationValidationResult
    return kind(success=success, result=result, expectation_config=expectation.configuration)


def failure(expectation: Expectation, message: str) -> ValidationResult:
    """A GX result that says that ``expectation`` could not be computed, and why."""
    kind = module("great_expectations.core.expectation_validation_result").ExpectationValidationResult
    return kind(
        success=False,
        expectation_config=expectation.configuration,
        result={},
        exception_info={"raised_exception": True, "exception_message": message, "exception_traceback": ""},
    )


def suite_result(name: str, results: list[ValidationResult], meta: dict[str, Any]) -> SuiteResult:
    """GX's result of a whole suite, in the order of ``results``."""
    statistics = module("great_expectations.validator.validation_statistics").calc_validation_statistics(results)
    return module("great_expectations.core.expectation_validation_result").ExpectationSuiteValidationResult(
        success=statistics.success,
        results=results,
        suite_name=name,
        statistics={
            "evaluated_expectations": statistics.evaluated_expectations,
            "successful_expectations": statistics.successful_expectations,
            "unsuccessful_expectations": statistics.unsuccessful_expectations,
            "success_percent": statistics.success_percent,
        },
        meta={"great_expectations_version": module().__version__, **meta},
    )
