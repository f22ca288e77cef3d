import pytest

from ecluse import texts
from ecluse.quality import expectation_text, gx

BETWEEN = "expect_column_values_to_be_between"


@pytest.mark.parametrize(
    ("type_", "kwargs", "english", "french"),
    [
        (
            BETWEEN,
            {"column": "dep_delay", "min_value": -60.0, "max_value": 1800},
            "dep_delay lies between -60 and 1800",
            "dep_delay est compris entre -60 et 1800",
        ),
        (BETWEEN, {"column": "x", "min_value": 0, "strict_min": True}, "x is more than 0", "x dépasse 0"),
        (
            BETWEEN,
            {"column": "x", "min_value": 0, "max_value": 1, "strict_max": True},
            "x is at least 0 and is less than 1",
            "x vaut au moins 0 et reste sous 1",
        ),
        (
            "expect_column_values_to_not_be_null",
            {"column": "id", "mostly": 0.95},
            "id is never missing, in at least 95 % of the values",
            "id ne manque jamais, pour au moins 95\u00a0% des valeurs",
        ),
        (
            "expect_compound_columns_to_be_unique",
            {"column_list": ["a", "b"]},
            "no two rows have the same a, b",
            "deux lignes n'ont jamais les mêmes a, b",
        ),
        (
            "expect_column_max_to_be_between",
            {"column": "t", "min_value": {"$PARAMETER": "fresh_since"}},
            "the newest value of t is as recent as the contract demands",
            "la valeur la plus récente de t est aussi récente que le contrat l'exige",
        ),
        (
            "expect_weather_to_be_good",
            {"town": "Sète"},
            "weather to be good: town = Sète",
            "weather to be good\u00a0: town = Sète",
        ),
        ("expect_weather_to_be_good", {}, "weather to be good", "weather to be good"),
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": "a", "column_B": "b", "or_equal": True},
            "a is greater than or equal to b",
            "a est supérieur ou égal à b",
        ),
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": "a", "column_B": "b"},
            "a is greater than b",
            "a est supérieur à b",
        ),
    ],
)
def test_an_expectation_reads_as_a_sentence(type_, kwargs, english, french):
    assert expectation_text(type_, kwargs, lang="en") == english
    assert expectation_text(type_, kwargs, lang="fr") == french


def test_a_condition_is_told(gxe):
    column = gx.module("great_expectations.expectations.row_conditions").Column
    condition = (column("origin") == "EWR") & column("dep_time").is_not_null()
    made = gxe.ExpectColumnValuesToBeBetween(column="air_time", min_value=20, row_condition=condition).configuration
    assert (
        expectation_text(made.type, made.kwargs) == "air_time is at least 20, where origin = EWR and dep_time is given"
    )


def test_long_sets_are_cut():
    text = expectation_text("expect_column_values_to_be_in_set", {"column": "n", "value_set": list(range(30))})
    assert text == "n is one of 0, 1, 2, 3, 4, 5, 6, 7 … (30 in all)"


def test_both_languages_have_the_same_sentences():
    english, french = (texts.entry("quality.expectations", lang) for lang in texts.LANGUAGES)
    assert english.keys() == french.keys()


def test_every_sentence_belongs_to_an_expectation_of_gx():
    registered = set(
        gx.module("great_expectations.expectations.registry").list_registered_expectation_implementations()
    )
    # What contracts promise is asked by expectations of ours, which GX registers when they are first made.
    ours = {"freshness", "expect_smallest_group_to_be_at_least"}
    assert set(texts.entry("quality.expectations", "en")) - ours <= registered
