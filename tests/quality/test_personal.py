"""Identifiers of people are told from other texts and numbers by their form, and by their checksum where they have one."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecluse.engine import Engine
from ecluse.quality.personal import DETECTORS, iban_holds, luhn, nir_holds, siret_holds

ENGINE = Engine(threads=1)


def found(text, column="v"):
    """The detectors that take a text for an identifier."""
    asked = [d for d in DETECTORS if d.asks(column, "text")]
    tests = ", ".join(d.matches("v") for d in asked)
    row = ENGINE.row(f"SELECT {tests} FROM (SELECT $1::VARCHAR AS v)", [text])
    return {d.name for d, held in zip(asked, row, strict=True) if held}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "ann.o'neil@example.co.uk"),
        ("email", "write to a+b@example.org, please"),
        ("iban", "FR14 2004 1010 0505 0001 3M02 606"),
        ("iban", "GB82WEST12345698765432"),
        ("iban", "NO9386011117947"),
        ("nir", "2 55 08 14 168 025 38"),
        ("nir", "185052A00112349"),
        ("card", "4111 1111 1111 1111"),
        ("card", "378282246310005"),
        ("card", "5555555555554444"),
        ("siret", "732 829 320 00074"),
        ("siret", "35600000049837"),
        ("siren", "732829320"),
        ("phone", "+33 6 12 34 56 78"),
        ("phone", "06.12.34.56.78"),
        ("phone", "0612345678"),
        ("phone", "(212) 555-1234"),
        ("phone", "+1 212-555-1234"),
        ("ipv4", "192.168.0.1"),
        ("ipv6", "2001:db8::ff00:42:8329"),
        ("ipv6", "::1"),
    ],
)
def test_an_identifier_is_found(kind, text):
    assert kind in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "GB82WEST12345698765431",  # the last digit is another
        "FR14 2004 1010 0505 0001 3M02 60",  # too short for its country
        "ZZ82WEST12345698765432",  # no such country
        "255081416802539",
        "285138416802538",  # no month is the 13th
        "4111 1111 1111 1112",
        "73282932000075",
        "732829321",
        "256.1.1.1",
        "1.2.3",
        "12:30:45",
        "aa:bb:cc:dd:ee:ff",
        "2013-01-01",
        "2013-01-01 10:00:00",
        "2013-01-01T10:00:00+00:00",
        "-12.5",
        "1048.36",
        "N14228",
        "1545",
        "12345678901234",
        "someone at example.org",
        "@ JFK",
        "d41d8cd98f00b204e9800998ecf8427e",
        "550e8400-e29b-41d4-a716-446655440000",
        "",
    ],
)
def test_what_is_none_is_left_alone(text):
    assert found(text) == set()


@pytest.mark.parametrize(
    ("column", "text", "kinds"),
    [
        ("birthDate", "1987-06-05", {"birth"}),
        ("date_de_naissance", "1987-06-05 00:00:00", {"birth"}),
        ("birth_year", "1987", {"birth"}),
        ("time_hour", "1987-06-05", set()),
        ("born", "0001-01-01", set()),
        ("birth_rate", "12.5", set()),
        ("nameFirst", "Ann", {"name"}),
        ("prénom", "Ann", {"name"}),
        ("airport_name", "La Guardia", set()),
        ("phone", "2125551234", {"phone"}),
        ("telemetry", "2125551234", set()),
    ],
)
def test_some_are_told_by_the_columns_name_too(column, text, kinds):
    assert found(text, column) == kinds


def _luhn(digits):
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def _iban(text):
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


@settings(max_examples=100, deadline=None)
@given(st.text("0123456789", min_size=1, max_size=24))
@example("79927398713")
def test_luhn_is_what_the_standard_says(digits):
    assert ENGINE.scalar(f"SELECT {luhn('$1::VARCHAR')}", [digits]) == _luhn(digits)


@settings(max_examples=100, deadline=None)
@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=20, max_size=20), st.booleans())
def test_an_iban_holds_where_its_remainder_is_one(text, right):
    bban = text[4:]
    key = 98 - int("".join(str(int(c, 36)) for c in bban + "AT00")) % 97
    iban = f"AT{key if right else int(text[:4], 36) % 97:02}{bban}"
    assert ENGINE.scalar(f"SELECT {iban_holds('$1::VARCHAR')}", [iban]) == _iban(iban)
    assert not right or _iban(iban)


@settings(max_examples=50, deadline=None)
@given(st.integers(10**12, 3 * 10**12 - 1), st.integers(1, 97))
def test_a_nir_holds_where_its_key_does(number, key):
    held = ENGINE.scalar(f"SELECT {nir_holds('$1::VARCHAR')}", [f"{number}{key:02}"])
    assert held == (key == 97 - number % 97)


def test_a_siret_is_asked_for_its_company_too():
    # The last digit of the whole is right, and that of the company in it is not.
    assert _luhn("73282932100072")
    assert not ENGINE.scalar(f"SELECT {siret_holds('$1::VARCHAR')}", ["73282932100072"])
