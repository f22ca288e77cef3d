"""Judges suites of expectations; the only package that imports Great Expectations."""

from ecluse.quality.check import Checked, check
from ecluse.quality.compiled import compile_contract
from ecluse.quality.digest import suite_digest
from ecluse.quality.explain import Explanation, explain
from ecluse.quality.failing import failing_rows
from ecluse.quality.profiling import Profile, profile
from ecluse.quality.promises import GuardedSuite, Promise, guarded_suite
from ecluse.quality.suggesting import Suggestion, suggest
from ecluse.quality.validate import read_suite, validate
from ecluse.quality.words import expectation_text, promise_text

__all__ = [
    "Checked",
    "Explanation",
    "GuardedSuite",
    "Profile",
    "Promise",
    "Suggestion",
    "check",
    "compile_contract",
    "expectation_text",
    "explain",
    "failing_rows",
    "guarded_suite",
    "profile",
    "promise_text",
    "read_suite",
    "suggest",
    "suite_digest",
    "validate",
]
