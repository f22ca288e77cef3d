"""KPIs: computed over gated data by the charter's statement, and recorded with what was read."""

from __future__ import annotations

import uuid

import great_expectations as gx
import pytest

import ecluse
from ecluse.charterfile import load_charter
from ecluse.errors import DefinitionError, IntegrityError, NotComputed
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Files, Guard, StepDefinition
from ecluse.project import Project
from ecluse.step.kpi import observe_kpi
from ecluse.step.releases import create_release
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import StepRequest

#: The size of the log before a test.
START = 0
CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{id: returns, description: predict returns}]
gates: [{phase: trial}]
parties:
  - {id: pipeline, attests: [run, publication, evidence, release, read], roles: [{name: reader, since: 2000-01-01}]}
grants: [{role: reader, datasets: ["*"], purposes: [returns], columns: {internal: clear}}]
kpis:
  - {id: amount, metric: mean, baseline: 1, target: 9, by: 2099-01-01, over: {o: products.orders}, sql: SELECT avg(amount) FROM o}
  - id: returned
    metric: share
    baseline: 1
    target: 0
    by: 2099-01-01
    better: lower
    over: {orders: products.orders, returns: products.returns}
    sql: SELECT count(r.id) / count(*) FROM orders AS o LEFT JOIN returns AS r USING (id)
  - {id: sqlless, metric: by hand, baseline: 0, target: 1, by: 2099-01-01}
  - {id: none, metric: x, baseline: 0, target: 1, by: 2099-01-01, over: {o: products.orders}, sql: SELECT max(amount) FROM o WHERE false}
  - {id: two, metric: x, baseline: 0, target: 1, by: 2099-01-01, over: {o: products.orders}, sql: SELECT amount FROM o}
  - {id: words, metric: x, baseline: 0, target: 1, by: 2099-01-01, over: {o: products.orders}, sql: SELECT 'nine' FROM o LIMIT 1}
  - {id: nan, metric: x, baseline: 0, target: 1, by: 2099-01-01, over: {o: products.orders}, sql: SELECT 'nan'::DOUBLE}
  - {id: wrong, metric: x, baseline: 0, target: 1, by: 2099-01-01, over: {o: products.orders}, sql: SELECT amuont FROM o}
  - {id: outside, metric: x, baseline: 0, target: 1, by: 2099-01-01, over: {o: products.orders}, sql: SELECT count(*) FROM 'orders.csv'}
  - {id: nothing, metric: x, baseline: 0, target: 1, by: 2099-01-01, over: {o: products.nothing}, sql: SELECT count(*) FROM o}
"""


def collect(services, dataset, text):
    root = services.project.root
    (root / f"{dataset}.csv").write_text(text)
    names = text.splitlines()[0].split(",")
    columns = [Column(name, "BIGINT" if name == "id" else "DOUBLE", classification="internal") for name in names]
    contract = Contract(columns=columns, key=["id"], owner="shop", licence="CC0-1.0")

    def collected() -> Files:
        return Files(root / f"{dataset}.csv")

    step = StepDefinition(dataset, Guard(contract, lambda: gx.ExpectationSuite("s")), "source", collected)
    run_step(step, StepRequest(str(uuid.uuid4())), services)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("kpi") / "shop"
    root.mkdir()
    (root / "charter.yaml").write_text(CHARTER)
    services = open_services(Project.find(root, "demo"))
    collect(services, "products.orders", "id,amount\n1,4\n2,8\n3,9\n")
    create_release(services, ["products.orders"], "1.0.0")
    collect(services, "products.orders", "id,amount\n1,4\n2,8\n3,9\n4,100\n")
    collect(services, "products.returns", "id\n3\n9\n")
    services.close()
    return root


@pytest.fixture
def services(made, monkeypatch):
    """A shop that released three orders and has published four since."""
    monkeypatch.chdir(made)
    for name in ("ECLUSE_PROJECT", "ECLUSE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    opened = open_services(Project.find(made, "demo"))
    monkeypatch.setitem(globals(), "START", opened.log.size)
    yield opened
    opened.close()


def observations(services):
    """What this test recorded."""
    found = [f for f in services.log.facts(kind="evidence") if f.position >= START]
    return [f.fact for f in found if f.fact.predicate["about"] == "kpi"]


def test_it_is_computed_on_the_release_and_not_on_what_was_published_since(services):
    found = observe_kpi(services, "amount")
    assert (found.value, found.manifest.version) == (7.0, "1.0.0")
    (fact,) = observations(services)
    assert fact.predicate["value"] == 7.0
    assert fact.predicate["definition"] == services.charter.kpi("amount").definition
    assert [s.sha256 for s in fact.subjects] == [found.manifest.digest]
    assert [(r["dataset"], r["released"]) for r in fact.predicate["read"]] == [("products.orders", True)]


def test_what_the_release_does_not_hold_is_read_as_it_is_published(services):
    found = observe_kpi(services, "returned")
    assert found.value == pytest.approx(1 / 3)
    read = observations(services)[0].predicate["read"]
    assert [(r["name"], r["released"]) for r in read] == [("orders", True), ("returns", False)]
    assert all(len(r["content"]) == 64 for r in read)


@pytest.mark.parametrize("kpi", ["none", "two", "words", "nan"])
def test_what_gives_no_single_finite_number_is_not_recorded(services, kpi):
    with pytest.raises(NotComputed, match="gave no value"):
        observe_kpi(services, kpi)
    assert observations(services) == []


@pytest.mark.parametrize(
    ("kpi", "said"),
    [
        ("sqlless", "no statement"),
        ("wrong", "amuont"),
        ("outside", "can't be carried out"),
        ("nothing", "No release"),
        ("unknown", "An observation of 'unknown'"),
    ],
)
def test_what_can_not_be_computed_says_why(services, kpi, said):
    with pytest.raises(DefinitionError, match=said):
        observe_kpi(services, kpi)
    assert observations(services) == []


def test_an_altered_file_gives_no_value(services):
    files = {path: path.read_bytes() for path in services.project.warehouse.rglob("*.parquet")}
    for path, content in files.items():
        path.chmod(0o644)
        path.write_bytes(content[:-1] + b"!")
    try:
        with pytest.raises(IntegrityError):
            observe_kpi(services, "amount")
    finally:
        for path, content in files.items():
            path.write_bytes(content)
    assert observations(services) == []


def test_code_hands_a_value_over_with_the_lock_of_its_data(services):
    manifest_of = ecluse.load("products.orders", purpose="returns", lock="data.lock").manifest
    ecluse.observe("sqlless", 0.7, lock="data.lock", model_sha256="a" * 64)
    (fact,) = observations(services)
    assert fact.predicate["value"] == 0.7
    assert fact.subjects[0].sha256 == manifest_of.digest
    assert len(fact.predicate["lock_sha256"]) == 64
    with pytest.raises(DefinitionError, match="ecluse kpi observe amount"):
        ecluse.observe("amount", 100.0, lock="data.lock")
    with pytest.raises(NotComputed):
        ecluse.observe("sqlless", float("inf"), lock="data.lock")
    assert len(observations(services)) == 1


def test_a_statement_and_its_tables_belong_together(tmp_path):
    (tmp_path / "charter.yaml").write_text(CHARTER.replace(", sql: SELECT amount FROM o", ""))
    with pytest.raises(DefinitionError, match="sql and over belong together"):
        load_charter(tmp_path / "charter.yaml")
