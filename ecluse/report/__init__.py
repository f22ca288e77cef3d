"""The release sheet: one self-contained page that tells an auditor whether a release is open, and why."""

from ecluse.report.gather import gather_sheet
from ecluse.report.render import release_sheet, render_sheet, write_sheet
from ecluse.report.sheet import SheetData

__all__ = ["SheetData", "gather_sheet", "release_sheet", "render_sheet", "write_sheet"]
