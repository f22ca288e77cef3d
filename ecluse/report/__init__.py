"""Pages for people: the release sheet, which tells an auditor whether a release is open, and the profile of data."""

from ecluse.report.gather import gather_sheet
from ecluse.report.measure import measure_text
from ecluse.report.profile import render_profile, write_profile
from ecluse.report.render import release_sheet, render_sheet, write_sheet
from ecluse.report.sheet import SheetData

__all__ = [
    "SheetData",
    "gather_sheet",
    "measure_text",
    "release_sheet",
    "render_profile",
    "render_sheet",
    "write_profile",
    "write_sheet",
]
