"""Carries the origin of rows through SQL that preserves rows, by adding one column to its SELECT lists.

The text of the query stays as its author wrote it: the column is inserted before the ``FROM`` of each plain SELECT on
the way from the result to the driving input. A GROUP BY, DISTINCT or set operation on that way is not row-preserving;
then nothing is inserted, and the accounting says that it could not be computed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from ecluse.engine import quote
from ecluse.model.names import ORIGIN

_ENDS_SOURCES = {
    TokenType.WHERE,
    TokenType.GROUP_BY,
    TokenType.HAVING,
    TokenType.QUALIFY,
    TokenType.ORDER_BY,
    TokenType.LIMIT,
    TokenType.WINDOW,
    TokenType.UNION,
    TokenType.EXCEPT,
    TokenType.INTERSECT,
    TokenType.SEMICOLON,
}
_MIXES_ROWS = {
    TokenType.GROUP_BY,
    TokenType.UNION,
    TokenType.EXCEPT,
    TokenType.INTERSECT,
    TokenType.PIVOT,
    TokenType.UNPIVOT,
}


@dataclass(frozen=True)
class _Source:
    name: str
    alias: str


@dataclass(frozen=True)
class _Select:
    """One SELECT by its token positions: the list runs from ``first`` to before ``from_``."""

    first: int
    from_: int
    sources: tuple[_Source, ...]


def with_origin(sql: str, driving: str) -> str | None:
    """``sql`` with the driving input's origin in its result, or ``None`` where it does not preserve rows.

    >>> with_origin("SELECT a FROM raw WHERE a > 1", "raw")
    'SELECT a, "raw"."_origin" FROM raw WHERE a > 1'
    >>> with_origin("SELECT a, count(*) FROM raw GROUP BY a", "raw") is None
    True
    """
    try:
        tokens = DuckDB().tokenize(sql)
    except SqlglotError:
        return None
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    insertions: dict[int, str] = {}
    if not tokens or not _carry(tokens, 0, len(tokens), driving, insertions, {}):
        return None
    for at in sorted(insertions, reverse=True):
        sql = sql[:at] + insertions[at] + sql[at:]
    return sql


def _carry(
    tokens: list[Token],
    start: int,
    end: int,
    driving: str,
    insertions: dict[int, str],
    outer: dict[str, tuple[int, int]],
) -> bool:
    """Whether the query between two tokens was made to carry the origin; fills ``insertions`` on the way."""
    ctes, body = _ctes(tokens, start, end)
    known = {**outer, **ctes}
    select = _select(tokens, body, end)
    if select is None:
        return False
    for source in select.sources:
        name = source.name.lower()
        if name in known:
            # NOTE: a CTE is read by its name once; its own text decides whether it carries the origin.
            within = {k: v for k, v in known.items() if k != name}
            if not _carry(tokens, *known[name], driving, insertions, within):
                continue
        elif name != driving.lower():
            continue
        listed = tokens[select.first : select.from_]
        if not _has_origin(listed, source):
            last = listed[-1]
            comma = "" if last.token_type is TokenType.COMMA else ","
            insertions[last.end + 1] = f"{comma} {quote(source.alias)}.{quote(ORIGIN)}"
        return True
    return False


def _ctes(tokens: list[Token], start: int, end: int) -> tuple[dict[str, tuple[int, int]], int]:
    """The CTEs of a query by name, each with the tokens of its body, and where the main SELECT begins."""
    found: dict[str, tuple[int, int]] = {}
    if tokens[start].token_type is not TokenType.WITH:
        return found, start
    at = start + 1
    if at < end and tokens[at].token_type is TokenType.RECURSIVE:
        return found, end
    while at < end:
        name = tokens[at].text.lower()
        while at < end and tokens[at].token_type is not TokenType.L_PAREN:
            at += 1
        close = _closing(tokens, at, end)
        found[name] = (at + 1, close)
        at = close + 1
        if at >= end or tokens[at].token_type is not TokenType.COMMA:
            return found, at
        at += 1
    return found, end


def _select(tokens: list[Token], start: int, end: int) -> _Select | None:
    """The plain SELECT … FROM … between two tokens; ``None`` where rows are mixed or the form is another."""
    if start >= end or tokens[start].token_type is not TokenType.SELECT:
        return None
    if start + 1 < end and tokens[start + 1].token_type is TokenType.DISTINCT:
        return None
    depth, from_ = 0, None
    for at in range(start + 1, end):
        kind = tokens[at].token_type
        depth += (kind in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)) - (
            kind in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)
        )
        if depth:
            continue
        if kind in _MIXES_ROWS:
            return None
        # NOTE: ``IS DISTINCT FROM`` is a comparison, not the clause.
        if kind is TokenType.FROM and from_ is None and tokens[at - 1].token_type is not TokenType.DISTINCT:
            from_ = at
    if from_ is None or from_ == start + 1:
        return None
    return _Select(start + 1, from_, _sources(tokens, from_ + 1, end))


def _sources(tokens: list[Token], start: int, end: int) -> tuple[_Source, ...]:
    """The tables and CTEs that a FROM clause names directly, each with its alias."""
    found: list[_Source] = []
    at, expects = start, True
    while at < end:
        token = tokens[at]
        kind = token.token_type
        if kind is TokenType.L_PAREN:
            at = _closing(tokens, at, end) + 1
            expects = False
            continue
        if kind in _ENDS_SOURCES:
            break
        if kind in (TokenType.COMMA, TokenType.JOIN):
            expects = True
        elif expects and kind in (TokenType.VAR, TokenType.IDENTIFIER):
            alias, next_at = token.text, at + 1
            if next_at < end and tokens[next_at].token_type is TokenType.ALIAS:
                alias, next_at = tokens[next_at + 1].text, next_at + 2
            elif next_at < end and tokens[next_at].token_type in (TokenType.VAR, TokenType.IDENTIFIER):
                alias, next_at = tokens[next_at].text, next_at + 1
            if not (next_at < end and tokens[next_at].token_type in (TokenType.L_PAREN, TokenType.DOT)):
                found.append(_Source(token.text, alias))
            expects, at = False, next_at
            continue
        at += 1
    return tuple(found)


def _has_origin(listed: list[Token], source: _Source) -> bool:
    """Whether a SELECT list already gives the origin: by name, by a star of the source, or by the only star."""
    depth = 0
    for at, token in enumerate(listed):
        kind = token.token_type
        if kind is TokenType.L_PAREN:
            depth += 1
        elif kind is TokenType.R_PAREN:
            depth -= 1
        if depth:
            continue
        if token.text.lower() == ORIGIN:
            return True
        if kind is TokenType.STAR and (at == 0 or listed[at - 1].token_type is TokenType.COMMA):
            return True
        of_source = at >= 2 and listed[at - 1].token_type is TokenType.DOT
        if kind is TokenType.STAR and of_source and listed[at - 2].text.lower() == source.alias.lower():
            return True
    return False


def _closing(tokens: list[Token], at: int, end: int) -> int:
    depth = 0
    for position in range(at, end):
        depth += (tokens[position].token_type is TokenType.L_PAREN) - (tokens[position].token_type is TokenType.R_PAREN)
        if depth == 0:
            return position
    return end
