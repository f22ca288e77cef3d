"""Suites that are proposed from a profile and hold on the data it was made of."""

from ecluse.quality.suggesting.proposal import Proposal, Suggestion
from ecluse.quality.suggesting.source import confirm_new, contract_source, json_source, suite_source, write_suggestion
from ecluse.quality.suggesting.suggest import suggest

__all__ = [
    "Proposal",
    "Suggestion",
    "confirm_new",
    "contract_source",
    "json_source",
    "suggest",
    "suite_source",
    "write_suggestion",
]
