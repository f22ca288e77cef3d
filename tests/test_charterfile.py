from __future__ import annotations

from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ecluse import texts
from ecluse.charterfile import Places, _Loader, json_schema, load_charter
from ecluse.errors import DefinitionError

ROOT = Path(__file__).parents[1]

GOOD = """\
project: flights
problem: Which flights are late?
phase: proof
phases: [proof, business]
purposes:
  - {id: delay-prediction, description: predict delays}
gates:
  - phase: proof
    criteria:
      - {id: quality, measure: checks.broken, operator: "==", value: 0}
    approvals:
      - {question: data-valid, role: data-steward}
  - phase: business
parties:
  - id: ana
    roles:
      - {name: data-steward, since: 2026-01-01}
    keys:
      - {public: "00ff", since: 2026-01-01}
"""


def write(tmp_path, text):
    path = tmp_path / "charter.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_training_is_recorded_with_the_day_on_which_it_was_completed(tmp_path):
    """``on`` is a field of the charter, and a truth value of YAML 1.1."""
    trainings = "trainings:\n  - {id: ethics, description: Half a day, roles: [data-steward]}\n"
    trained = "  - id: ana\n    trained: [{training: ethics, on: 2026-02-01}]\n"
    charter = load_charter(write(tmp_path, trainings + GOOD.replace("  - id: ana\n", trained)))
    assert charter.parties[0].trained[0].on == date(2026, 2, 1)


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "NO", "y", "truest", "false-alarm"])
def test_a_word_is_a_word(tmp_path, word):
    charter = load_charter(write(tmp_path, GOOD.replace("delay-prediction", word)))
    assert charter.purposes[0].id == word


def test_true_and_false_are_truth_values(tmp_path):
    charter = load_charter(write(tmp_path, GOOD.replace("predict delays", "predict delays, allowed: false")))
    assert charter.purposes[0].allowed is False


def test_reads_a_charter(tmp_path):
    charter = load_charter(write(tmp_path, GOOD))
    assert charter.gates[0].criteria[0].measure == "checks.broken"
    assert charter.parties[0].roles[0].since == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("phase: proof\nphases", "phase: prof\nphases", "charter.yaml:3:1: phase: “prof” is not one of the phases"),
        ("value: 0", "value: none", "charter.yaml:10:63: gates.0.criteria.0.value: a number is wanted, not 'none'."),
        ("value: 0", "value: .nan", "charter.yaml:10:63: gates.0.criteria.0.value: a number is wanted, not nan."),
        ("value: 0", "value: -.inf", "charter.yaml:10:63: gates.0.criteria.0.value: a number is wanted, not -inf."),
        ("value: 0", "value: true", "charter.yaml:10:63: gates.0.criteria.0.value: a number is wanted, not True."),
        ("value: 0", "value: '0'", "charter.yaml:10:63: gates.0.criteria.0.value: a number is wanted, not '0'."),
        ("role: data-steward}", "rôle: data-steward}", "charter.yaml:12:9: gates.0.approvals.0.role: it is missing."),
        ("problem:", "problems:", "charter.yaml:2:1: problems: there is no such entry here."),
        ('"00ff"', "1234", "charter.yaml:19:10: parties.0.keys.0.public: text is wanted, not 1234; quotes make"),
        ("phases: [proof, business]", "phases: proof", "charter.yaml:4:1: phases: a list is wanted: [a, b], or"),
        ('"=="', '"="', "charter.yaml:10:47: gates.0.criteria.0.operator: '=' is none of '<=', '>=', '<', '>', '=='."),
        ("  - phase: business", "  - business", "charter.yaml:13:5: gates.1: entries are wanted: name: value."),
        ("predict delays", "predict delays, allowed: maybe", "allowed: true or false is wanted, not 'maybe'."),
        (
            "since: 2026-01-01}\n    keys",
            "since: soon}\n    keys",
            "charter.yaml:17:30: parties.0.roles.0.since: a day such as 2026-01-31 is wanted, not 'soon'.",
        ),
        ("project: flights", "project: flights\nproject: trains", "charter.yaml:2:1: project"),
        ("[proof, business]", "[proof, business", "charter.yaml:5:9"),
        ("phase: business", "phase: business: x", "charter.yaml:13:20: mapping values are not allowed here"),
        ("since: 2026-01-01}", "since: 2026-13-01}", "charter.yaml:17:30: parties.0.roles.0.since: "),
        ("measure: checks.broken", "measure: checks.brokn", "charter.yaml:10:23: gates.0.criteria.0.measure: "),
        ("measure: checks.broken", "measure: kpi.auc", "charter.yaml:10:23: gates.0.criteria.0.measure: “auc” is not"),
        (
            "id: quality, measure: checks.broken",
            "id: checks, measure: suite.stale",
            "charter.yaml:10:10: gates.0.criteria.0.id: “checks” is the criterion that every gate has (checks.broken).",
        ),
        (
            "[proof, business]",
            "[proof, business, proof]",
            "charter.yaml:4:27: phases.2: “proof” is listed a second time.",
        ),
        (
            "[proof, business]",
            "[proof, business, robust]",
            "charter.yaml:4:27: phases.2: The phase “robust” has no gate.",
        ),
        ("phase: business", "phase: robust", "charter.yaml:13:5: gates.1.phase: “robust” is not one of the phases"),
        (
            "    approvals:",
            "      - {id: quality, measure: suite.stale, operator: '==', value: 0}\n    approvals:",
            "charter.yaml:11:10: gates.0.criteria.1.id: “quality” is listed a second time.",
        ),
        (
            "since: 2026-01-01}\n    keys",
            "since: 2026-01-01, until: 2025-01-01}\n    keys",
            "charter.yaml:17:49: parties.0",
        ),
        ("  - id: ana\n", "  - id: ana\n    responsible: zoe\n", "charter.yaml:16:5: parties.0.responsible: “zoe” is"),
        (
            "  - id: ana\n",
            "  - id: ana\n    trained: [{training: juggling, on: 2026-01-01}]\n",
            "charter.yaml:16:16: parties.0.trained.0.training: “juggling” is not",
        ),
        ("parties:\n", "parties:\n  - id: ana\n", "charter.yaml:16:5: parties.1.id: “ana” is listed a second time."),
        (
            "parties:\n",
            "risks:\n  - {id: r, description: r, controls: [units]}\nparties:\n",
            "charter.yaml:15:40: risks.0.controls.0: “units” names no check.",
        ),
    ],
)
def test_names_the_line_and_column_of_a_mistake(tmp_path, before, after, said):
    assert before in GOOD
    with pytest.raises(DefinitionError) as caught:
        load_charter(write(tmp_path, GOOD.replace(before, after, 1)))
    assert said in str(caught.value)


def test_a_mistake_is_named_in_the_readers_language(tmp_path):
    texts.set_language("fr")
    with pytest.raises(DefinitionError) as caught:
        load_charter(write(tmp_path, GOOD.replace("problem:", "problems:").replace("value: 0", "value: none")))
    said = caught.value.part("received")
    for part in ("problem: elle manque.", "il n'y a pas d'entrée de ce nom ici.", "il faut un nombre, et non 'none'."):
        assert part in said


def test_lists_all_mistakes(tmp_path):
    with pytest.raises(DefinitionError) as caught:
        load_charter(write(tmp_path, GOOD.replace("value: 0", "value: x").replace("phase: business", "face: business")))
    assert caught.value.fields["count"] == 3


def test_lists_contradictions_in_the_order_of_the_file(tmp_path):
    wrong = GOOD.replace("phase: proof\n", "phase: prof\n", 1).replace("checks.broken", "kpi.auc")
    with pytest.raises(DefinitionError) as caught:
        load_charter(write(tmp_path, wrong.replace("  - id: ana", "  - id: ana\n    responsible: zoe")))
    places = [line.split(": ")[0].strip() for line in caught.value.fields["places"].splitlines() if line]
    assert places == ["charter.yaml:3:1", "charter.yaml:10:23", "charter.yaml:16:5"]


@given(st.data())
def test_every_place_of_a_charter_is_found_on_the_line_that_says_it(data):
    """Whatever is nested how, the place of a text leads to the line on which that text stands."""
    few: Any = {"min_size": 1, "max_size": 3}
    names = st.text("abcdefgh", **few)
    nested = st.recursive(
        st.none(), lambda inner: st.lists(inner, **few) | st.dictionaries(names, inner, **few), max_leaves=8
    )
    tree, numbers = data.draw(nested), count(100)

    def filled(part, place):
        if isinstance(part, dict):
            return {name: filled(inner, (*place, name)) for name, inner in part.items()}
        if isinstance(part, list):
            return [filled(inner, (*place, number)) for number, inner in enumerate(part)]
        leaves[place] = f"leaf-{next(numbers)}"
        return leaves[place]

    leaves: dict = {}
    text = yaml.safe_dump({"x": filled(tree, ("x",))}, default_flow_style=data.draw(st.booleans()), width=10_000)
    places = Places(Path("charter.yaml"), yaml.compose(text, Loader=yaml.SafeLoader))
    lines = text.splitlines()
    for place, leaf in leaves.items():
        line, column = places.find(place)
        assert lines[line - 1][column - 1 :].startswith((leaf, f"{place[-1]}: {leaf}"))


def test_the_schema_takes_what_is_a_charter_and_refuses_what_is_none():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in (ROOT / "charter.yaml", ROOT / "ecluse" / "cli" / "scaffold" / "files" / "charter.yaml"):
        # NOTE: as an editor reads it, by YAML 1.2, in which a date is a text.
        held = yaml.load(path.read_text("utf-8").replace("@name@", "orders"), Loader=_Loader)
        assert not list(validator.iter_errors(held))
        first = held["gates"][0]
        first["criteria"][0]["measure"] = "checks.brokn"
        first["approvals"][0]["rôle"] = "data-steward"
        held["parties"][0]["attests"] = ["rum"]
        wrong = {tuple(error.absolute_path) for error in validator.iter_errors(held)}
        assert wrong == {("gates", 0, "criteria", 0, "measure"), ("gates", 0, "approvals", 0), ("parties", 0, "attests", 0)}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"- a\n", "no_mapping"),
        (b"", "empty"),
        (b"# nothing yet\n", "empty"),
        (b"\xff\xfe\x00", "unreadable"),
        (b"a: \x01", "not_yaml"),
        (b"a: &a [*a]", "not_yaml"),
        (b"? [a]\n: b", "not_yaml"),
        (b"1: b", "invalid"),
    ],
)
def test_refuses_what_is_no_charter(tmp_path, content, key):
    path = tmp_path / "charter.yaml"
    path.write_bytes(content)
    with pytest.raises(DefinitionError) as caught:
        load_charter(path)
    assert caught.value.key == f"charter.{key}"
    assert str(caught.value)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(DefinitionError, match="can't be read"):
        load_charter(tmp_path / "charter.yaml")
