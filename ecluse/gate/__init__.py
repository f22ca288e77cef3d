"""Decides, from the charter and the facts of this moment, whether a release is open: pure, total, with every reason.

Nothing here reads a file, a clock or a database: the same request, charter, facts and time give the same verdict.
"""

from ecluse.gate.book import Book
from ecluse.gate.doubts import Doubt, doubts
from ecluse.gate.readers import covers, valid_grants
from ecluse.gate.risks import Residual, ResidualRisk, residual_risks
from ecluse.gate.verdict import release_verdict, verdict

__all__ = [
    "Book",
    "Doubt",
    "Residual",
    "ResidualRisk",
    "covers",
    "doubts",
    "release_verdict",
    "residual_risks",
    "valid_grants",
    "verdict",
]
