"""Expectations in plain words, for people who decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ecluse import texts
from ecluse.model.outcome import CheckResult

#: Sets longer than this are cut, with their size.
_SHOWN = 8
_TOLD_ELSEWHERE = ("mostly", "row_condition", "condition_parser", "result_format")


def expectation_text(type_: str, kwargs: dict[str, Any], *, lang: str | None = None) -> str:
    """What an expectation says, in words, without a full stop at the end.

    >>> expectation_text("expect_column_values_to_be_between", {"column": "distance", "min_value": 17})
    'distance is at least 17'
    """
    words = _Words(lang)
    text = words.sentence(type_, kwargs)
    if (mostly := kwargs.get("mostly")) is not None and mostly != 1:
        text = words.say("mostly", text=text, share=_number(round(float(mostly) * 100, 6)))
    if condition := kwargs.get("row_condition"):
        text = words.say("where", text=text, condition=words.condition(condition))
    return text


def promise_text(check: CheckResult, lang: str | None = None) -> str:
    """What a check asks, in words: those of the suite's author where there are any, in whatever language they are."""
    return check.description.strip().removesuffix(".") or expectation_text(check.type, check.kwargs, lang=lang)


class _Words:
    """The parts of a sentence in one language."""

    def __init__(self, lang: str | None) -> None:
        self.lang = lang

    def say(self, key: str, **fields: object) -> str:
        return texts.say(f"quality.words.{key}", lang=self.lang, **fields)

    def sentence(self, type_: str, kwargs: dict[str, Any]) -> str:
        found = texts.entry("quality.expectations", self.lang)
        if isinstance(kwargs.get("min_value"), dict) and type_ == "expect_column_max_to_be_between":
            type_ = "freshness"
        try:
            return str(found[type_]).format_map(self.fields(kwargs))
        except (KeyError, TypeError, ValueError):
            # A type that we don't know, or one that lacks what its sentence names.
            return self.generic(type_, kwargs)

    def generic(self, type_: str, kwargs: dict[str, Any]) -> str:
        """A sentence for every other expectation: its name and what it was given."""
        name = type_.removeprefix("expect_").replace("_", " ")
        given = {k: v for k, v in kwargs.items() if k not in _TOLD_ELSEWHERE}
        parts = ", ".join(f"{k} = {self.value(v)}" for k, v in given.items())
        return self.say("other", name=name, given=parts) if parts else self.say("bare", name=name)

    def fields(self, kwargs: dict[str, Any]) -> dict[str, str]:
        """What sentences may name."""
        found = {k: self.value(v) for k, v in kwargs.items()}
        if "min_value" in kwargs or "max_value" in kwargs:
            found["range"] = self.range(kwargs)
        if "column_list" in kwargs:
            found["columns"] = self.list(kwargs["column_list"])
        if "column_set" in kwargs:
            found["columns"] = self.list(kwargs["column_set"] or ())
        found["or_equal_to"] = self.say("or_equal") if kwargs.get("or_equal") else ""
        return found

    def range(self, kwargs: dict[str, Any]) -> str:
        low, high = kwargs.get("min_value"), kwargs.get("max_value")
        strict_low, strict_high = bool(kwargs.get("strict_min")), bool(kwargs.get("strict_max"))
        if low is not None and high is not None and not strict_low and not strict_high:
            return self.say("between", min=self.value(low), max=self.value(high))
        parts = []
        if low is not None:
            parts.append(self.say("more_than" if strict_low else "at_least", min=self.value(low)))
        if high is not None:
            parts.append(self.say("less_than" if strict_high else "at_most", max=self.value(high)))
        return self.say("both", low=parts[0], high=parts[1]) if len(parts) == 2 else "".join(parts)

    def value(self, value: Any) -> str:
        if isinstance(value, dict) and "$PARAMETER" in value:
            return str(value["$PARAMETER"])
        if isinstance(value, (list, tuple, set, frozenset)):
            return self.list(value)
        return _number(value)

    def list(self, values: Iterable[Any]) -> str:
        every = [self.value(v) for v in values]
        if len(every) > _SHOWN:
            return self.say("cut", shown=", ".join(every[:_SHOWN]), count=len(every))
        return ", ".join(every)

    def condition(self, condition: Any) -> str:
        if not isinstance(condition, dict):
            return str(condition)
        match condition.get("type"):
            case "nullity":
                return self.say("absent" if condition["is_null"] else "present", column=condition["column"]["name"])
            case "comparison":
                operator = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "IN": "∈", "NOT_IN": "∉"}.get(
                    condition["operator"], condition["operator"]
                )
                return f"{condition['column']['name']} {operator} {self.value(condition['parameter'])}"
            case "and" | "or":
                word = f" {self.say(condition['type'])} "
                return word.join(self.condition(part) for part in condition["conditions"])
            case _:
                return str(condition.get("pass_through_filter", condition))


def _number(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
