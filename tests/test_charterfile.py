from __future__ import annotations

from datetime import date

import pytest

from ecluse.charterfile import load_charter
from ecluse.errors import DefinitionError

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


def test_reads_a_charter(tmp_path):
    charter = load_charter(write(tmp_path, GOOD))
    assert charter.gates[0].criteria[0].measure == "checks.broken"
    assert charter.parties[0].roles[0].since == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("phase: proof\nphases", "phase: prof\nphases", "charter.yaml:1:1: phase 'prof' is not one of the phases"),
        ("value: 0", "value: none", "charter.yaml:10:63: gates.0.criteria.0.value: Input should be a valid number"),
        ("role: data-steward}", "rôle: data-steward}", "charter.yaml:12:9: gates.0.approvals.0.role: Field required"),
        ("problem:", "problems:", "charter.yaml:2:1: problems: Unexpected keyword argument"),
        ('"00ff"', "1234", "charter.yaml:19:10: parties.0.keys.0.public: Input should be a valid string, not 1234"),
        ("project: flights", "project: flights\nproject: trains", "charter.yaml:2:1: project"),
        ("[proof, business]", "[proof, business", "charter.yaml:5:9"),
        ("phase: business", "phase: business: x", "charter.yaml:13:20: mapping values are not allowed here"),
        ("since: 2026-01-01}", "since: 2026-13-01}", "charter.yaml:17:30: parties.0.roles.0.since: "),
        ("measure: checks.broken", "measure: checks.brokn", "charter.yaml:10:9: gates.0.criteria.0: "),
        (
            "measure: checks.broken",
            "measure: kpi.auc",
            "charter.yaml:1:1: criteria name KPIs that the charter doesn't have: auc",
        ),
    ],
)
def test_names_the_line_and_column_of_a_mistake(tmp_path, before, after, said):
    assert before in GOOD
    with pytest.raises(DefinitionError) as caught:
        load_charter(write(tmp_path, GOOD.replace(before, after, 1)))
    assert said in str(caught.value)


def test_lists_all_mistakes(tmp_path):
    with pytest.raises(DefinitionError) as caught:
        load_charter(write(tmp_path, GOOD.replace("value: 0", "value: x").replace("phase: business", "face: business")))
    assert caught.value.fields["count"] == 3


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"- a\n", "no_mapping"),
        (b"", "no_mapping"),
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
