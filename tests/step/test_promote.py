"""A release goes from one environment to the next: through the next one's step, gate and people."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from ecluse.door import load
from ecluse.door.definitions import Definitions
from ecluse.door.records import Records
from ecluse.errors import BrokenData, Conflict, DefinitionError, IntegrityError, Refused
from ecluse.ledger import new_key, signer_for
from ecluse.model.contract import Column, Contract
from ecluse.model.release import PromotedFrom
from ecluse.model.step import Files, Guard, In, StepDefinition
from ecluse.project import Project
from ecluse.report import gather_sheet, render_sheet
from ecluse.step.promote import promote
from ecluse.step.releases import create_release, decide, releases
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import Ending, StepRequest

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{{id: returns, description: predict returns}}]
gates:
  - phase: trial
    criteria: [{{id: licensed, measure: sources.unlicensed, operator: "==", value: 0}}]
    approvals: [{{question: data-valid, role: data-steward}}]
parties:
  - {{id: pipeline, attests: [run, publication, evidence, release], keys: [{pipeline}]}}
  - {{id: steward, roles: [{{name: data-steward, since: 2000-01-01}}], keys: [{steward}]}}
  - {{id: builder, roles: [{{name: model-builder, since: 2000-01-01}}], keys: [{builder}]}}
grants:
  - {{role: model-builder, datasets: ["products.*"], purposes: [returns], columns: {{internal: clear}}}}
"""
SETTINGS = """
[tool.ecluse]
name = "shop"
[tool.ecluse.profiles.staging]
environment = "staging"
[tool.ecluse.profiles.prod]
environment = "prod"
[tool.ecluse.profiles.archive]
environment = "archive"
"""
ORDERS, VISITS = "products.orders", "products.visits"
CONTRACT = Contract(
    columns=(Column("id", "BIGINT", classification="internal"), Column("name", "VARCHAR", classification="internal")),
    key=("id",),
    owner="shop",
    licence="CC0",
)


def step(name, root, *expectations, contract=CONTRACT):
    def collected(partition: str) -> Files:
        return Files(root / name / f"{partition or 'all'}.csv")

    return StepDefinition(name, Guard(contract, lambda: gx.ExpectationSuite("s", [*expectations])), "source", collected)


@dataclass
class Shop:
    root: object
    steps: dict = field(default_factory=dict)
    opened: dict = field(default_factory=dict)

    def services(self, profile):
        if profile not in self.opened:
            self.opened[profile] = open_services(Project.find(self.root, profile))
        return self.opened[profile]

    def publish(self, name, rows, partition=None, profile="staging"):
        file = self.root / name / f"{partition or 'all'}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text("id,name\n" + "".join(f"{id},{text}\n" for id, text in rows))
        done = run_step(self.steps[name], StepRequest(str(uuid.uuid4()), partition), self.services(profile))
        assert done.ending is Ending.PUBLISHED, [b.text() for b in done.blocks]

    def release(self, *names, version="1.0.0", approve=True):
        manifest = create_release(self.services("staging"), names, version)
        if approve:
            self.decide("staging", manifest)
        return manifest

    def decide(self, profile, manifest, verdict="approved"):
        services = self.services(profile)
        signer = signer_for(services.project, services.charter, "steward")
        until = datetime.now(UTC) + timedelta(days=30)
        return decide(services, signer, manifest, verdict, question="data-valid", reason="looked", expires=until)

    def promote(self, *, version=None, dataset=ORDERS, before="staging", after="prod"):
        source = Records.open(Definitions.of(Project.find(self.root, before)), read_only=True)
        try:
            return promote(source, self.services(after), self.steps, dataset, version)
        finally:
            source.close()

    def rows(self, profile, dataset=ORDERS):
        services = self.services(profile)
        with services.engine() as engine:
            scan = services.warehouse.scan(dataset, services.warehouse.head(dataset))
            return sorted(engine.rows(f"SELECT id, name FROM {scan}"))

    def load(self, monkeypatch, profile, **asked):
        monkeypatch.setenv("ECLUSE_PROFILE", profile)
        monkeypatch.setenv("ECLUSE_READER", "builder")
        return load(ORDERS, purpose="returns", project=self.root, **asked)


@pytest.fixture
def shop(tmp_path):
    keys = {}
    for party in ("pipeline", "steward", "builder"):
        pairs = [new_key(tmp_path / f".ecluse/{profile}/keys", party) for profile in ("staging", "prod", "archive")]
        keys[party] = ", ".join(f'{{public: "{pair.public}", since: 2020-01-01}}' for pair in pairs)
    (tmp_path / "charter.yaml").write_text(CHARTER.format(**keys))
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    made = Shop(tmp_path)
    made.steps = {name: step(name, tmp_path) for name in (ORDERS, VISITS)}
    yield made
    for services in made.opened.values():
        services.close()


def keys(refused):
    return [reason.key for reason in refused.value.verdict.reasons]


def test_an_approved_release_is_checked_published_and_released_in_the_next_environment(shop):
    shop.publish(ORDERS, [(1, "a"), (2, "b")])
    before = shop.release(ORDERS)
    done = shop.promote()
    assert (done.manifest.version, done.manifest.environment, done.manifest.producer) == ("1.0.0", "prod", "pipeline")
    assert shop.rows("prod") == [(1, "a"), (2, "b")]
    prod = shop.services("prod")
    prod.log.verify()
    facts = [f.fact for f in prod.log.facts()]
    assert [f.kind for f in facts] == ["publication", "evidence", "run", "release"]
    assert {f.environment for f in facts} == {"prod"}
    (product,) = before.products
    (file,) = product.files
    said = next(iter(shop.services("staging").log.facts("publication"))).fact.predicate
    assert product.columns == (("id", "BIGINT"), ("name", "VARCHAR"))
    assert product.code_versions == (said["code_version"],)
    raw = facts[0].predicate["raw"]
    assert raw == [
        {
            "origin": f"ecluse:shop/staging/{ORDERS}@1.0.0/{file.path}",
            "sha256": file.sha256,
            "bytes": file.bytes,
        }
    ]
    assert (prod.project.raw / file.sha256).read_bytes() == shop.services("staging").warehouse.path(file).read_bytes()
    origin = PromotedFrom.of(facts[3].predicate)
    assert origin == done.origin
    assert (origin.project, origin.environment, origin.manifest) == ("shop", "staging", before.digest)
    assert origin.root == shop.services("staging").log.root(origin.facts)
    assert facts[1].predicate["accounting_outcome"] == "held"


def test_what_a_release_was_made_from_is_known_wherever_it_is_promoted_to(shop):
    """A criterion about it is none about a name that was misspelt."""
    charter = (shop.root / "charter.yaml").read_text()
    (shop.root / "charter.yaml").write_text(charter.replace("value: 0}", 'value: 0, datasets: ["raw.*"]}'))
    shop.steps["raw.orders"] = step("raw.orders", shop.root)
    guard, ins = shop.steps[ORDERS].guard, (In("source", "raw.orders"),)
    shop.steps[ORDERS] = StepDefinition(ORDERS, guard, "asset", lambda source: "SELECT * FROM source", ins, "row")
    shop.publish("raw.orders", [(1, "a")])
    assert (
        run_step(shop.steps[ORDERS], StepRequest(str(uuid.uuid4())), shop.services("staging")).ending
        is Ending.PUBLISHED
    )
    shop.release(ORDERS)
    for before, after in (("staging", "prod"), ("prod", "archive")):
        done = shop.promote(before=before, after=after)
        assert (done.origin.inputs, done.manifest.inputs) == (("raw.orders",), ())
        shop.decide(after, done.manifest)


def test_each_row_names_the_released_file_and_its_place_in_it(shop):
    shop.publish(ORDERS, [(7, "a"), (8, "b"), (9, "c")])
    (file,) = shop.release(ORDERS).products[0].files
    shop.promote()
    prod = shop.services("prod")
    with prod.engine() as engine:
        scan = prod.warehouse.scan(ORDERS, prod.warehouse.head(ORDERS))
        found = engine.rows(f"SELECT id, _origin FROM {scan} ORDER BY id")
    assert found == [(7, f"{file.sha256[:12]}:1"), (8, f"{file.sha256[:12]}:2"), (9, f"{file.sha256[:12]}:3")]


def test_an_approval_of_one_environment_opens_nothing_in_the_next(shop, monkeypatch):
    shop.publish(ORDERS, [(1, "a")])
    shop.release(ORDERS)
    assert shop.load(monkeypatch, "staging").arrow().num_rows == 1
    promoted = shop.promote().manifest
    with pytest.raises(Refused) as refused:
        shop.load(monkeypatch, "prod")
    assert keys(refused) == ["approval_missing"]
    shop.decide("prod", promoted)
    found = shop.load(monkeypatch, "prod")
    assert (found.version, found.arrow().to_pylist()) == ("1.0.0", [{"id": 1, "name": "a"}])


def test_a_release_that_nobody_approved_goes_nowhere(shop):
    shop.publish(ORDERS, [(1, "a")])
    shop.release(ORDERS, approve=False)
    with pytest.raises(Refused) as refused:
        shop.promote()
    assert keys(refused) == ["approval_missing"]
    with pytest.raises(Refused) as refused:
        shop.promote(version="9.9.9")
    assert keys(refused) == ["release_missing"]
    assert list(shop.services("prod").log.facts()) == []


@pytest.mark.parametrize("verdict", ["withdrawn", "rejected"])
def test_a_release_that_was_stopped_goes_nowhere(shop, verdict):
    shop.publish(ORDERS, [(1, "a")])
    shop.decide("staging", shop.release(ORDERS), verdict)
    with pytest.raises(Refused) as refused:
        shop.promote()
    assert verdict in keys(refused)


def test_a_release_whose_file_was_altered_goes_nowhere(shop):
    shop.publish(ORDERS, [(1, "a")])
    (file,) = shop.release(ORDERS).products[0].files
    path = shop.services("staging").warehouse.path(file)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(IntegrityError):
        shop.promote()
    assert list(shop.services("prod").log.facts()) == []


def test_promoting_again_does_nothing_and_says_so(shop):
    shop.publish(ORDERS, [(1, "a")])
    shop.release(ORDERS)
    first = shop.promote()
    size = shop.services("prod").log.size
    again = shop.promote()
    assert (again.manifest, again.origin, again.results) == (first.manifest, first.origin, ())
    assert shop.services("prod").log.size == size


def test_a_version_that_is_another_release_there_is_left_alone(shop):
    shop.publish(ORDERS, [(1, "a")])
    shop.release(ORDERS)
    shop.publish(ORDERS, [(5, "own")], profile="prod")
    create_release(shop.services("prod"), [ORDERS], "1.0.0")
    with pytest.raises(Conflict) as caught:
        shop.promote()
    assert caught.value.key == "step.release_exists"
    assert shop.rows("prod") == [(5, "own")]


def test_several_products_with_partitions_go_together_and_what_did_not_change_stays(shop):
    shop.publish(ORDERS, [(1, "a")], "2024-01")
    shop.publish(ORDERS, [(2, "b")], "2024-02")
    shop.publish(VISITS, [(9, "v")])
    shop.release(ORDERS, VISITS)
    done = shop.promote(dataset=VISITS)
    assert [(r.dataset, r.partition, r.rows) for r in done.results] == [
        (ORDERS, "2024-01", 1),
        (ORDERS, "2024-02", 1),
        (VISITS, None, 1),
    ]
    assert {p.dataset: {f.partition for f in p.files} for p in done.manifest.products} == {
        ORDERS: {"2024-01", "2024-02"},
        VISITS: {None},
    }
    shop.publish(ORDERS, [(2, "b"), (3, "c")], "2024-02")
    shop.release(ORDERS, VISITS, version="1.0.1")
    done = shop.promote()
    assert [r.ending for r in done.results] == [Ending.UNCHANGED, Ending.PUBLISHED, Ending.UNCHANGED]
    assert shop.rows("prod") == [(1, "a"), (2, "b"), (3, "c")]
    assert [m.version for _, m in releases(shop.services("prod"), ORDERS)] == ["1.0.0", "1.0.1"]


def test_a_partition_that_the_release_does_not_have_is_emptied_first(shop):
    shop.publish(ORDERS, [(1, "a")], "2023", profile="prod")
    shop.publish(ORDERS, [(1, "a"), (2, "b")], "2024")
    shop.release(ORDERS)
    done = shop.promote()
    assert [(r.partition, r.rows) for r in done.results] == [("2023", 0), ("2024", 2)]
    assert {f.partition for f in done.manifest.products[0].files} == {"2024"}
    assert shop.rows("prod") == [(1, "a"), (2, "b")]


def test_files_that_were_written_under_older_columns_arrive_under_todays(shop):
    shop.publish(ORDERS, [(1, "a")], "2023")
    renamed = Contract(
        columns=(
            Column("id", "BIGINT", classification="internal"),
            Column("title", "VARCHAR", was=("name",), classification="internal"),
        ),
        key=("id",),
        owner="shop",
        licence="CC0",
    )
    shop.steps[ORDERS] = step(ORDERS, shop.root, contract=renamed)
    file = shop.root / ORDERS / "2024.csv"
    file.write_text("id,title\n2,b\n")
    run_step(shop.steps[ORDERS], StepRequest(str(uuid.uuid4()), "2024"), shop.services("staging"))
    shop.release(ORDERS)
    shop.promote()
    prod = shop.services("prod")
    with prod.engine() as engine:
        scan = prod.warehouse.scan(ORDERS, prod.warehouse.head(ORDERS))
        assert engine.rows(f"SELECT id, title FROM {scan} ORDER BY id") == [(1, "a"), (2, "b")]


def test_the_next_environment_checks_by_itself_and_its_block_makes_no_release(shop):
    shop.publish(ORDERS, [(1, "a"), (2, "b")])
    shop.release(ORDERS)
    strict = gxe.ExpectColumnValuesToBeInSet(column="name", value_set=["a"], severity="critical")
    shop.steps[ORDERS] = step(ORDERS, shop.root, strict)
    with pytest.raises(BrokenData) as caught:
        shop.promote()
    assert caught.value.key == "step.promote_blocked"
    assert [f.fact.kind for f in shop.services("prod").log.facts()] == ["evidence", "run"]
    shop.steps[ORDERS] = step(ORDERS, shop.root)
    assert shop.promote().manifest.products[0].rows == 2


def test_rows_that_are_held_back_make_no_release(shop):
    tolerant = Contract(
        columns=CONTRACT.columns, key=("id",), owner="shop", licence="CC0", on_failure="quarantine",
        quarantine_at_most=0.9,
    )  # fmt: skip
    shop.steps[ORDERS] = step(ORDERS, shop.root, contract=tolerant)
    shop.publish(ORDERS, [(1, "a"), (2, "b")])
    shop.release(ORDERS)
    strict = gxe.ExpectColumnValuesToBeInSet(column="name", value_set=["a"], severity="critical")
    shop.steps[ORDERS] = step(ORDERS, shop.root, strict, contract=tolerant)
    with pytest.raises(BrokenData) as caught:
        shop.promote()
    assert caught.value.key == "step.promote_rows"
    assert list(releases(shop.services("prod"))) == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"after": "staging"}, "step.promote_here"),
        ({"contract": True}, "step.promote_contract"),
        ({"definition": True}, "step.promote_definition"),
    ],
)
def test_what_can_not_be_promoted_says_why(shop, change, key):
    shop.publish(ORDERS, [(1, "a")])
    shop.release(ORDERS)
    if change.pop("contract", False):
        other = Contract(columns=CONTRACT.columns, key=("id",), owner="somebody else", licence="CC0")
        shop.steps[ORDERS] = step(ORDERS, shop.root, contract=other)
    if change.pop("definition", False):
        del shop.steps[ORDERS]
    with pytest.raises(DefinitionError) as caught:
        shop.promote(**change)
    assert caught.value.key == key


def test_who_publishes_at_the_same_time_is_noticed(shop, monkeypatch):
    shop.publish(ORDERS, [(1, "a")])
    shop.publish(VISITS, [(1, "a")])
    shop.release(ORDERS, VISITS)

    def meanwhile(result):
        if result.dataset == VISITS:
            shop.publish(ORDERS, [(5, "other")], profile="prod")

    source = Records.open(Definitions.of(Project.find(shop.root, "staging")), read_only=True)
    with pytest.raises(Conflict) as caught:
        promote(source, shop.services("prod"), shop.steps, ORDERS, tell=meanwhile)
    source.close()
    assert caught.value.key == "step.promote_moved"
    assert list(releases(shop.services("prod"))) == []


def test_the_sheet_shows_where_a_release_came_from(shop):
    shop.publish(ORDERS, [(1, "a")])
    before = shop.release(ORDERS)
    shop.promote()
    sheet = gather_sheet(Project.find(shop.root, "prod"), ORDERS)
    for lang, said in {"en": "Promoted from", "fr": "Promue depuis"}.items():
        page = render_sheet(sheet, lang)
        assert said in page
        assert before.digest in page
        assert f"ecluse:shop/staging/{ORDERS}@1.0.0/" in page
        assert said not in render_sheet(gather_sheet(Project.find(shop.root, "staging"), ORDERS), lang)
