r"""Python regular expressions as DuckDB (RE2) expressions, where both provably match the same texts.

Python's own parse tree is walked and written anew from constructs whose meaning agrees; everything else raises
``Unknown`` and runs on Python's ``re``. ``\d``, ``\w``, ``\s``, ``\b`` and ignoring case agree on ASCII texts only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ecluse.quality.batch import Unknown

try:
    from re import _constants as _op  # type: ignore[attr-defined]
    from re import _parser  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - a later Python that hides its parser: every pattern then runs on re
    _parser = _op = None

#: Python's character classes, and what is left of ASCII without them.
_ASCII_ONLY = {
    "DIGIT": "0-9",
    "WORD": "A-Za-z0-9_",
    "SPACE": r"\t-\r\x{1c}-\x{20}",
    "NOT_DIGIT": r"\x{0}-\x{2f}\x{3a}-\x{7f}",
    "NOT_WORD": r"\x{0}-\x{2f}\x{3a}-\x{40}\x{5b}-\x{5e}\x{60}\x{7b}-\x{7f}",
    "NOT_SPACE": r"\x{0}-\x{8}\x{e}-\x{1b}\x{21}-\x{7f}",
}


@dataclass(frozen=True)
class Pattern:
    """A regular expression for RE2. ``ascii_only``: it means the same on texts of ASCII characters alone."""

    re2: str
    ascii_only: bool


def translate(pattern: str) -> Pattern:
    r"""``pattern`` for RE2; ``Unknown`` where the same meaning isn't certain.

    >>> translate("^[A-Z]{2}$")
    Pattern(re2='\\A(?:[A-Z]){2}(?:\\n?\\z)', ascii_only=False)
    """
    if _parser is None:
        raise Unknown("this Python has no pattern parser")
    try:
        tree = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Unknown(str(error)) from error
    flags = tree.state.flags & ~re.UNICODE
    if flags & ~(re.IGNORECASE | re.DOTALL):
        raise Unknown("flags with another meaning in RE2")
    writer = _Writer(dot="(?s:.)" if flags & re.DOTALL else r"[^\n]", ascii_only=bool(flags & re.IGNORECASE))
    text = writer.sequence(tree, tail=True)
    if flags & re.IGNORECASE:
        if not pattern.isascii():
            raise Unknown("letters beyond ASCII fold differently")
        text = f"(?i:{text})"
    return Pattern(text, writer.ascii_only)


class _Writer:
    """Writes one parse tree as RE2. ``tail`` says that nothing of the pattern comes after."""

    def __init__(self, *, dot: str, ascii_only: bool) -> None:
        self.dot = dot
        self.ascii_only = ascii_only

    def sequence(self, items: Any, *, tail: bool) -> str:
        items = list(items)
        return "".join(self.item(op, arg, tail=tail and i == len(items) - 1) for i, (op, arg) in enumerate(items))

    def item(self, op: Any, arg: Any, *, tail: bool) -> str:
        if op is _op.LITERAL:
            return _character(arg)
        if op is _op.NOT_LITERAL:
            return f"[^{_character(arg)}]"
        if op is _op.ANY:
            return self.dot
        if op is _op.IN:
            return self.characters(arg)
        if op is _op.BRANCH:
            return "(?:" + "|".join(self.sequence(branch, tail=tail) for branch in arg[1]) + ")"
        if op is _op.SUBPATTERN:
            _, added, removed, inner = arg
            if added or removed:
                raise Unknown("flags inside a pattern")
            return f"(?:{self.sequence(inner, tail=tail)})"
        if op in (_op.MAX_REPEAT, _op.MIN_REPEAT):
            low, high, inner = arg
            return f"(?:{self.sequence(inner, tail=False)}){_times(low, high)}"
        if op is _op.AT:
            return self.anchor(arg, tail=tail)
        raise Unknown(f"{op} has no equal in RE2")

    def anchor(self, where: Any, *, tail: bool) -> str:
        if where in (_op.AT_BEGINNING, _op.AT_BEGINNING_STRING):
            return r"\A"
        if where is _op.AT_END_STRING:
            return r"\z"
        if where is _op.AT_END and tail:
            # Python's $ also stands before a last line feed; at the end of the pattern that feed may be consumed.
            return r"(?:\n?\z)"
        if where is _op.AT_BOUNDARY:
            self.ascii_only = True
            return r"\b"
        raise Unknown(f"{where} has no equal in RE2")

    def characters(self, items: Any) -> str:
        parts, negated = [], False
        for op, arg in items:
            if op is _op.NEGATE:
                negated = True
            elif op is _op.LITERAL:
                parts.append(_character(arg))
            elif op is _op.RANGE:
                parts.append(f"{_character(arg[0])}-{_character(arg[1])}")
            elif op is _op.CATEGORY and (name := str(arg).removeprefix("CATEGORY_")) in _ASCII_ONLY:
                self.ascii_only = True
                parts.append(_ASCII_ONLY[name])
            else:
                raise Unknown(f"{arg} has no equal in RE2")
        return f"[{'^' if negated else ''}{''.join(parts)}]"


def _character(code: int) -> str:
    character = chr(code)
    return character if character.isascii() and character.isalnum() else f"\\x{{{code:x}}}"


def _times(low: int, high: Any) -> str:
    if high is _op.MAXREPEAT:
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    if (low, high) == (0, 1):
        return "?"
    return f"{{{low}}}" if low == high else f"{{{low},{high}}}"
