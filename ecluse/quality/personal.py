"""What identifiers of people look like: patterns, with checksums where there are some, as SQL over texts and columns.

A pattern alone says little: ids, amounts and times have digits too. So each detector says in what share of a column's
values it must be found before the column counts as holding such identifiers; it lies well above what chance gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ecluse.engine.sql import literal

#: What a detector looks at: texts, whole numbers, or dates and times.
Kind = Literal["text", "integer", "time"]

Sql = Callable[[str], str]


@dataclass(frozen=True)
class Detector:
    """One kind of identifier.

    ``looks`` and ``proven`` make SQL conditions from the SQL of a value's text; ``proven`` is asked only of what
    looks right. ``needs`` is a pattern that stands in each such identifier, and that costs little to look for: where
    no value of a column holds it, nothing else need be asked. ``share`` is the least share of a column's different
    values; 0 means that a single one will do. ``named`` is a pattern that the column's name must hold as well, and
    ``only_named`` tells that a match of it proves nothing: such a finding is a hint.
    """

    name: str
    looks: Sql
    proven: Sql | None = None
    needs: str = ""
    share: float = 0.0
    kinds: tuple[Kind, ...] = ("text",)
    named: str = ""
    only_named: bool = False

    def matches(self, text: str) -> str:
        """SQL that is true where ``text`` (SQL of type VARCHAR, not null) is such an identifier, else false."""
        if self.proven is None:
            return f"coalesce({self.looks(text)}, false)"
        # NOTE: CASE computes the checksum only of what looks right; AND may compute both sides.
        return f"CASE WHEN {self.looks(text)} THEN coalesce({self.proven(text)}, false) ELSE false END"

    def asks(self, column: str, kind: Kind) -> bool:
        """Whether a column of that name and kind is looked at."""
        return kind in self.kinds and (not self.named or re.search(self.named, _words(column)) is not None)

    def found(self, matched: int, tested: int) -> bool:
        """Whether so many matches among so many different values are more than chance."""
        return matched > 0 and matched >= self.share * tested


def luhn(digits: str) -> str:
    """SQL that is true where ``digits`` (SQL of a text of digits) ends with the right digit by ISO/IEC 7812."""
    doubled = "(ascii(c) - 48) * 2"
    digit = f"CASE WHEN i % 2 = 0 THEN {doubled} // 10 + {doubled} % 10 ELSE ascii(c) - 48 END"
    return f"list_sum(list_transform(string_split(reverse({digits}), ''), lambda c, i: {digit})) % 10 = 0"


def iban_holds(iban: str) -> str:
    """SQL that is true where an IBAN without blanks, in capitals, has its country's length and the right key."""
    lengths = " ".join(f"WHEN {literal(country)} THEN {length}" for country, length in _IBAN_LENGTHS.items())
    number = "CASE WHEN c BETWEEN '0' AND '9' THEN ascii(c) - 48 ELSE ascii(c) - 55 END"
    turned = f"string_split(substr({iban}, 5) || left({iban}, 4), '')"
    rest = "(a * CASE WHEN x > 9 THEN 100 ELSE 10 END + x) % 97"
    key = f"list_reduce(list_transform({turned}, lambda c: {number}), lambda a, x: {rest})"
    return f"length({iban}) = CASE left({iban}, 2) {lengths} ELSE 0 END AND {key} = 1"


def nir_holds(nir: str) -> str:
    """SQL that is true where a French social security number of 15 characters has the right key."""
    # NOTE: Corsica's departments have a letter, which counts as a number.
    number = f"CAST(replace(replace(left({nir}, 13), '2A', '19'), '2B', '18') AS BIGINT)"
    return f"97 - {number} % 97 = CAST(right({nir}, 2) AS BIGINT)"


def siret_holds(siret: str) -> str:
    """SQL that is true where 14 digits are a SIRET: both it and the SIREN in it have the right last digit."""
    # NOTE: the establishments of La Poste are numbered by another rule.
    post = f"list_sum(list_transform(string_split({siret}, ''), lambda c: ascii(c) - 48)) % 5 = 0"
    siren = f"left({siret}, 9)"
    return f"({luhn(siren)} AND ({luhn(siret)} OR {siren} = '356000000' AND {post}))"


def _whole(pattern: str) -> Sql:
    return lambda text: f"regexp_full_match(trim({text}), {literal(pattern)})"


def _bare(text: str) -> str:
    """The text without what people put between groups of digits."""
    return f"upper(regexp_replace({text}, '[ .\\-]', '', 'g'))"


def _of_bare(pattern: str, least: int, most: int) -> Sql:
    # NOTE: lengths cost next to nothing to compare, and spare most values the pattern.
    return lambda text: (
        f"length({text}) BETWEEN {least} AND {2 * most} AND regexp_full_match({_bare(text)}, {literal(pattern)})"
    )


def _email(text: str) -> str:
    return f"contains({text}, '@') AND regexp_matches({text}, {literal(_EMAIL)})"


def _ipv4(text: str) -> str:
    return f"length({text}) BETWEEN 7 AND 15 AND regexp_full_match({text}, {literal(_IPV4)})"


def _ipv6(text: str) -> str:
    return f"contains({text}, ':') AND regexp_full_match({text}, {literal(_IPV6)})"


def _birth(text: str) -> str:
    year = f"TRY_CAST(left({text}, 4) AS INTEGER)"
    return f"({year} BETWEEN 1800 AND year(current_date) AND regexp_full_match({text}, {literal(_DATE)}))"


def _words(column: str) -> str:
    """A column's name as lower-case words with underscores between them.

    >>> _words("nameFirst"), _words("Date de naissance")
    ('name_first', 'date_de_naissance')
    """
    return re.sub(r"[^0-9a-zà-ÿ]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower())


_EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"({_OCTET}\.){{3}}{_OCTET}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_IPV6 = rf"({_GROUP}:){{7}}{_GROUP}|({_GROUP}(:{_GROUP}){{0,6}})?::({_GROUP}(:{_GROUP}){{0,6}})?"
_DATE = r"\d{4}(-\d{2}-\d{2}([ T].*)?)?"
_NIR = r"[123478]\d{2}(0[1-9]|1[0-2]|[2-9]\d)(\d{2}|2[AB])\d{8}"
_CARD = (
    r"4\d{15}(\d{3})?|(5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}"
    r"|6(011|5\d\d|4[4-9]\d)\d{12}|35(2[89]|[3-8]\d)\d{12}"
)
#: With a country's prefix, or as written in France, or as written in North America with something between the groups.
_PHONE = (
    r"\+[1-9][0-9 ().\-]{6,20}[0-9]|00[1-9]\d{0,2}[ .\-][0-9 ().\-]{5,18}[0-9]|0[1-9]([ .\-]\d{2}){4}|0[67]\d{8}"
    r"|(\+?1[ .\-])?(\([2-9]\d{2}\) ?|[2-9]\d{2}[ .\-])[2-9]\d{2}[ .\-]\d{4}"
)
_DIGITS = r"\+?[0-9][0-9 ().\-]{7,20}"
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip

_SEVEN_DIGITS = r"(\d[ .()\-]*){7}"
_NAME = (
    r"(first|last|full|given|family|maiden|middle)_?name|surname|name_(first|last|given|full)|pr[eé]nom"
    r"|nom_(de_)?(famille|usage|naissance)"
)
_NUMBERS: tuple[Kind, ...] = ("text", "integer")

#: Every detector; of several that are found in one column, the first is named.
DETECTORS = (
    Detector("email", _email, needs="@"),
    Detector(
        "iban",
        _of_bare(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", 15, 34),
        lambda text: iban_holds(_bare(text)),
        needs=_SEVEN_DIGITS,
        share=0.05,
    ),
    Detector(
        "nir",
        _of_bare(_NIR, 15, 15),
        lambda text: nir_holds(_bare(text)),
        needs=_SEVEN_DIGITS,
        share=0.1,
        kinds=_NUMBERS,
    ),
    Detector(
        "card", _of_bare(_CARD, 14, 19), lambda text: luhn(_bare(text)), needs=_SEVEN_DIGITS, share=0.3, kinds=_NUMBERS
    ),
    Detector(
        "siret",
        _of_bare(r"\d{14}", 14, 14),
        lambda text: siret_holds(_bare(text)),
        needs=_SEVEN_DIGITS,
        share=0.3,
        kinds=_NUMBERS,
    ),
    Detector(
        "siren",
        _of_bare(r"\d{9}", 9, 9),
        lambda text: luhn(_bare(text)),
        needs=_SEVEN_DIGITS,
        share=0.5,
        kinds=_NUMBERS,
    ),
    Detector("phone", _whole(_PHONE), needs=_SEVEN_DIGITS, share=0.5),
    Detector(
        "phone",
        _whole(r"\+?[0-9][0-9 ().\-]{7,20}"),
        needs=_SEVEN_DIGITS,
        share=0.5,
        kinds=_NUMBERS,
        named=r"(^|_)(tel|telephone|téléphone|phone|mobile|fax)(_|$)",
    ),
    Detector("ipv4", _ipv4, needs=r"\.\d", share=0.5),
    Detector("ipv6", _ipv6, needs=":", share=0.5),
    Detector(
        "birth",
        _birth,
        share=0.8,
        kinds=("text", "integer", "time"),
        named=r"birth|(^|_)(born|dob|né|née)(_|$)|naissance|geburt",
    ),
    Detector("name", _whole(r".*\pL.*"), share=0.5, named=_NAME, only_named=True),
)
