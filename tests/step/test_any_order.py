"""Every operation in any order, on real tables, beside a plain model of what must be there.

Two products are each updated in a mode of its own, from sources that deliver rows good and bad. After every operation, what
is published, quarantined, released, held and recorded must be what the model says. The suite takes a few short walks;
``pytest tests/step/test_any_order.py --hypothesis-profile long`` takes many long ones.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ecluse.errors import Conflict, DefinitionError, WarehouseError
from ecluse.ledger import signer_for
from ecluse.model.names import quarantine_name
from ecluse.model.outcome import Outcome
from ecluse.project import Project
from ecluse.step.asof import published_state
from ecluse.step.compact import compact
from ecluse.step.held import Chosen
from ecluse.step.holds import holds, lift_hold, place_hold
from ecluse.step.leave import Asked
from ecluse.step.reentry import leave_quarantine
from ecluse.step.releases import create_release
from ecluse.step.retention import expire
from ecluse.step.rollback import rollback_release
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import Ending, StepRequest
from tests.step.plain_model import MODES, Delivery, Given, Promised, Version, left, overwritten, published
from tests.step.products import GIVEN, Product, in_quarantine, opened

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{id: returns, description: predict returns}]
gates: [{phase: trial}]
parties:
  - {id: pipeline, attests: [run, publication, evidence, release, read]}
  - {id: counsel, roles: [{name: counsel, since: 2000-01-01}]}
"""
rows = st.builds(
    Given,
    id=st.integers(1, 5),
    at=st.integers(0, 3),
    name=st.sampled_from(["a", "b", "c", "skip"]),
    amount=st.sampled_from([1, 2, 3, -1]),
    extra=st.sampled_from([None, 7, 8]),
)
deliveries = st.lists(rows, min_size=1, max_size=5, unique_by=lambda row: (row.id, row.at)).map(tuple)
which = st.sampled_from([0, 1])


class Blocked(NamedTuple):
    """What a candidate was made of: the delivery, and what was published when it was."""

    product: Product
    delivery: Delivery
    base: Version
    head: int | None


def columns_of(promised):
    return [(column.name, column.type) for column in promised]


class AnyOrder(RuleBasedStateMachine):
    """What a team and its orchestrator may do to two products, in any order."""

    @initialize(modes=st.lists(st.sampled_from(list(MODES)), min_size=2, max_size=2, unique=True), strict=st.booleans())
    def open(self, modes, strict):
        self.folder = Path(tempfile.mkdtemp(prefix="any-order-"))
        (self.folder / "charter.yaml").write_text(CHARTER)
        project = Project.find(self.folder, "demo")
        with_keys = open_services(project)
        self.counsel = signer_for(project, with_keys.charter, "counsel")
        with_keys.close()
        self.services = open_services(project)
        self.engine = self.services.engine()
        self.products = [opened(mode, quarantines=not (strict and place)) for place, mode in enumerate(modes)]
        self.releases, self.candidates, self.held = [], {}, []
        self.unexpired = self.unswept = False

    def teardown(self):
        if hasattr(self, "folder"):
            self.engine.close()
            self.services.close()
            shutil.rmtree(self.folder)

    # ---- deliveries

    @rule(place=which, given=deliveries, partition=st.sampled_from([0, 1, 2]))
    def publish(self, place, given, partition):
        product = self.products[place]
        partition = product.partitions[partition % len(product.partitions)]
        self.deliver(product, product.delivery(given, partition))

    @precondition(lambda self: any(p.given for p in self.products))
    @rule(data=st.data())
    def rerun(self, data):
        """A delivery again, the last one or an older one."""
        product = data.draw(st.sampled_from([p for p in self.products if p.given]))
        earlier = data.draw(st.sampled_from(product.given[-3:]))
        self.deliver(product, replace(earlier, promised=product.promised))

    @rule(place=which, given=deliveries)
    def dry_run(self, place, given):
        product = self.products[place]
        self.source(product, given)
        before = self.services.log.size
        result = self.step(product, dry_run=True)
        wanted = published(product.mode, product.now, product.delivery(given), itertools.count(10**6))
        assert (result.ending is Ending.DRY_RUN) == (wanted is not None), result.blocks
        assert self.services.log.size == before

    @rule(place=which, given=st.lists(rows, min_size=1, max_size=3, unique_by=lambda row: row.id).map(tuple))
    def block(self, place, given):
        """Rows of which every one is bad."""
        product = self.products[place]
        broken = tuple(row._replace(amount=-1, name="a") for row in given)
        self.deliver(product, product.delivery(broken))

    def deliver(self, product, delivery):
        self.source(product, delivery.rows)
        before = product.now
        after = published(product.mode, before, delivery, product.numbers)
        result = self.step(product, partition=delivery.partition)
        again = delivery.name in {d.name for d in product.given}
        if after is None:
            assert result.ending is Ending.BLOCKED, result
            # NOTE: one that stands for the same is gone on with, and stands on what is published now.
            self.blocked(result.branch, product, delivery)
            self.unswept = True
            return
        if after is before and product.mode == "append":
            assert result.ending is Ending.UNCHANGED, result
        assert result.ending in (Ending.PUBLISHED, *([Ending.UNCHANGED] if again else [])), result.blocks
        product.given.append(delivery)
        self.done(product, delivery, result, after)

    def blocked(self, branch, product, delivery):
        self.candidates[branch] = Blocked(product, delivery, product.now, self.services.warehouse.head(product.name))

    def done(self, product, delivery, result, after):
        """What the step did, and what must be there since."""
        self.candidates.pop(result.branch, None)
        if result.ending is Ending.PUBLISHED:
            self.accounted(result.accounting, delivery, product.now, after)
            self.moved(product, after)
            return
        assert product.now.rows == after.rows
        if product.mode not in ("replace", "partition"):
            assert delivery.name in product.now.batches

    def source(self, product, given):
        """The rows arrive as a file of the product's source."""
        lines = [",".join("" if value is None else str(value) for value in row) for row in given]
        path = self.folder / f"{product.mode}.csv"
        path.write_text("\n".join([",".join(GIVEN), *lines, ""]))
        result = run_step(product.source(path), StepRequest(str(uuid.uuid4())), self.services)
        assert result.ending is (Ending.UNCHANGED if product.raw == given else Ending.PUBLISHED), result.blocks
        product.raw = given

    def step(self, product, **request):
        return run_step(product.step(), StepRequest(str(uuid.uuid4()), **request), self.services)

    def accounted(self, found, delivery, before, after):
        assert found.outcome is Outcome.HELD, found
        assert (found.driving, found.computed) == (len(delivery.rows), len(delivery.computed))
        assert found.quarantined == found.driving_quarantined == len(delivery.bad)
        assert found.filtered == {"skipped": len(delivery.rows) - len(delivery.computed)}
        assert (found.previous, found.current) == (len(before.rows), len(after.rows))

    def moved(self, product, version, *, drops=False):
        product.now = version
        quarantine = self.services.warehouse.head(quarantine_name(product.name))
        if quarantine != product.quarantine and not drops:
            # NOTE: a drop is no publication, and a rollback brings back what one left.
            product.beside = version.held
        product.quarantine = quarantine
        head = self.services.warehouse.head(product.name)
        product.versions[head] = version
        product.moments.append((datetime.now(UTC), head))
        self.unexpired = self.unswept = True

    # ---- columns

    @rule(place=which, data=st.data(), given=deliveries)
    def change_columns(self, place, data, given):
        """The contract changes, and the next delivery is under the new one."""
        product = self.products[place]
        columns = list(product.promised)
        extras = [p for p in columns if p.source == "extra"]
        kinds = ["add", "widen", "rename", "reorder", *(["drop"] if extras else [])]
        kind = data.draw(st.sampled_from(kinds))
        taken = {name for p in columns for name in (p.name, *p.was)}
        if kind == "add":
            # NOTE: the name of a column that was dropped may come back, and its values may not.
            name = next(n for n in (f"extra{i}" for i in itertools.count()) if n not in taken)
            columns.append(Promised(name, "BIGINT", "extra"))
        elif kind == "widen":
            columns = [replace(p, type="BIGINT") if p.source == "amount" else p for p in columns]
        elif kind == "rename":
            old = data.draw(st.sampled_from([p for p in columns if p.source in ("amount", "extra")]))
            fresh = next(n for n in (f"{old.source}_{i}" for i in itertools.count()) if n not in taken)
            columns = [replace(p, name=fresh, was=(p.name, *p.was)) if p is old else p for p in columns]
        elif kind == "drop":
            columns.remove(data.draw(st.sampled_from(extras)))
        else:
            columns = data.draw(st.permutations(columns))
        product.promised = tuple(columns)
        self.deliver(product, product.delivery(given))

    # ---- versions

    @precondition(lambda self: any(p.versions for p in self.products))
    @rule(data=st.data())
    def release(self, data):
        ready = [p.name for p in self.products if p.versions]
        names = data.draw(st.lists(st.sampled_from(ready), min_size=1, unique=True))
        manifest = create_release(self.services, names)
        released = [p for p in self.products if p.name in names]
        self.releases.append((manifest, {p.name: replace(p.now, held=p.beside) for p in released}))

    @precondition(lambda self: self.releases)
    @rule(data=st.data())
    def roll(self, data):
        """Back to a release, or forward again."""
        manifest, versions = data.draw(st.sampled_from(self.releases))
        moved = {one.dataset for one in rollback_release(self.services, self.counsel, manifest, "look again")}
        for product in self.products:
            if product.name in moved:
                self.moved(product, versions[product.name])

    @precondition(lambda self: any(p.versions for p in self.products))
    @rule(data=st.data())
    def compact(self, data):
        product = data.draw(st.sampled_from([p for p in self.products if p.versions]))
        if tuple(f.name for f in product.now.fields) != tuple(p.name for p in product.promised):
            return
        done = compact(self.services, product.step())
        files = self.services.warehouse.files(product.name, self.services.warehouse.head(product.name))
        assert max(Counter(f.partition for f in files).values(), default=0) <= 1
        if done.snapshot_id is not None:
            self.moved(product, product.now)

    @precondition(lambda self: any(p.versions for p in self.products))
    @rule(data=st.data())
    def read_as_of(self, data):
        product = data.draw(st.sampled_from([p for p in self.products if p.versions]))
        moment, snapshot = data.draw(st.sampled_from(product.moments))
        assert published_state(self.services, product.name, moment.isoformat()).snapshot_id == snapshot
        assert published_state(self.services, product.name, str(snapshot)).snapshot_id == snapshot

    # ---- keeping and forgetting

    @precondition(lambda self: any(p.versions for p in self.products) and not self.held)
    @rule(data=st.data())
    def hold(self, data):
        self.held = [data.draw(st.sampled_from([p.name for p in self.products if p.versions]))]
        place_hold(self.services, self.counsel, f"case-{uuid.uuid4()}", self.held, "a court asked")

    @precondition(lambda self: self.held)
    @rule()
    def lift(self):
        (hold,) = holds(self.services.log)
        lift_hold(self.services, self.counsel, hold.name, "the case is closed")
        self.held = []

    @precondition(lambda self: self.unexpired)
    @rule()
    def expire(self):
        self.unexpired = False
        forgotten = expire(self.services, timedelta(0))
        for product in self.products:
            gone = set(forgotten.get(product.name, ()))
            assert product.name not in self.held or not gone
            for snapshot in gone & product.versions.keys():
                del product.versions[snapshot]
                with pytest.raises(WarehouseError, match="no snapshot"):
                    self.services.warehouse.scan(product.name, snapshot)

    @precondition(lambda self: self.unswept)
    @rule()
    def sweep(self):
        self.unswept = False
        self.services.warehouse.sweep(grace=timedelta(0))
        assert self.services.warehouse.sweep(grace=timedelta(0)) == ()

    # ---- what was not published

    @precondition(lambda self: self.candidates)
    @rule(data=st.data())
    def discard(self, data):
        name = data.draw(st.sampled_from(sorted(self.candidates)))
        (found,) = [b for b in self.services.warehouse.candidates() if b.branch == name]
        self.services.warehouse.discard(found)
        del self.candidates[name]

    @precondition(lambda self: self.candidates)
    @rule(data=st.data())
    def publish_later(self, data):
        """A candidate, under a contract that allows more rows in quarantine."""
        name = data.draw(st.sampled_from(sorted(self.candidates)))
        product, given, base, head = self.candidates[name]
        delivery = replace(given, lenient=True)
        after = published(product.mode, product.now, delivery, product.numbers)
        request = StepRequest(str(uuid.uuid4()), partition=delivery.partition, candidate=name)
        same_columns = columns_of(product.promised) == columns_of(given.promised)
        try:
            result = run_step(product.step(lenient=True), request, self.services)
        except (Conflict, DefinitionError) as error:
            refused = error.key
        else:
            refused = None
        if refused is not None:
            moved = self.services.warehouse.head(product.name) != head
            since = {"step.candidate_moved", "warehouse.columns_moved"} if moved and same_columns else set()
            assert refused in since | ({"step.candidate_columns"} if not same_columns else set())
            return
        assert same_columns
        if after is None:
            assert result.ending is Ending.BLOCKED, result
            self.blocked(name, product, given)
            return
        assert result.published, result.blocks
        assert not overwritten(product.mode, delivery, base, product.now)
        self.done(product, delivery, replace(result, branch=name), after)

    @precondition(lambda self: any(p.now.quarantine for p in self.products))
    @rule(data=st.data(), move=st.sampled_from(["fixed", "released", "dropped"]))
    def leave(self, data, move):
        """Rows leave quarantine: corrected well or badly, as they are, or for good."""
        product = data.draw(st.sampled_from([p for p in self.products if p.now.quarantine]))
        if [p.name for p in product.promised] != [f.name for f in product.now.fields]:
            return
        rows = in_quarantine(self.engine, self.services.warehouse, product)
        partition = data.draw(st.sampled_from(sorted({one[1] for one in rows}, key=str)))
        chosen = data.draw(st.lists(st.sampled_from([r for r in rows if r[1] == partition]), min_size=1, unique=True))
        amounts = [data.draw(st.sampled_from([2, -2])) if move == "fixed" else -1 for _ in chosen]
        amount = next(p.name for p in product.promised if p.source == "amount")
        number = next(f.number for f in product.now.fields if f.name == amount)
        gone, back = [], []
        held = {place: list(some) for place, some in product.now.held.items()}
        for (_, _, place, values), new in zip(chosen, amounts, strict=True):
            one = next(one for one in held[place] if product.now.shown(one.row) == values)
            held[place].remove(one)
            if new != -2:
                gone.append((place, one))
                back += [(place, one.row if move == "released" else {**one.row, number: new})] * (move != "dropped")
        asked = Asked(move, self.counsel, "looked at", Chosen(rows=tuple(row for row, *_ in chosen)))
        if move == "fixed":
            lines = [f"{row},{new}" for (row, *_), new in zip(chosen, amounts, strict=True)]
            path = self.folder / "rows.csv"
            path.write_text("\n".join([f"_row,{amount}", *lines, ""]))
            asked = replace(asked, chosen=Chosen(), file=path)
        after = left(product.mode, product.now, gone, back, product.promised, product.numbers) if gone else None
        result = leave_quarantine(self.services, product.step(), asked)
        assert result.done == (after is not None), result
        if after is not None:
            assert (result.left, result.stayed) == (len(gone), len(chosen) - len(gone))
            self.moved(product, after, drops=move == "dropped")

    # ---- what holds after each of them

    @invariant()
    def what_is_published_is_what_the_model_says(self):
        for product in getattr(self, "products", ()):
            head = self.services.warehouse.head(product.name) if self.services.warehouse.exists(product.name) else None
            assert (head is not None) == bool(product.versions)
            if head is None:
                continue
            assert self.read(product.name, head) == product.now.rows
            assert self.columns(product.name, head) == [(f.name, f.type) for f in product.now.fields]
            assert [
                row for *_, row in in_quarantine(self.engine, self.services.warehouse, product)
            ] == product.now.quarantine

    @invariant()
    def every_version_that_was_not_forgotten_reads_its_own_rows(self):
        for product in getattr(self, "products", ()):
            for snapshot, version in product.versions.items():
                assert self.read(product.name, snapshot) == version.rows

    @invariant()
    def every_release_reads_its_own_rows(self):
        for manifest, versions in getattr(self, "releases", ()):
            for pinned in manifest.products:
                assert self.read(pinned.dataset, pinned.snapshot_id) == versions[pinned.dataset].rows
            for entry in manifest.inputs:
                self.read(entry.dataset, entry.snapshot_id)

    @invariant()
    def the_log_verifies_and_tells_of_every_candidate(self):
        if hasattr(self, "services"):
            self.services.log.verify()
            assert {b.branch for b in self.services.warehouse.candidates()} == set(self.candidates)

    def read(self, dataset, snapshot):
        names = ", ".join(f'"{name}"' for name, _ in self.columns(dataset, snapshot))
        found = self.engine.rows(f"SELECT {names} FROM {self.services.warehouse.scan(dataset, snapshot)}")
        return sorted(found, key=repr)

    def columns(self, dataset, snapshot):
        found = self.services.warehouse.columns(dataset, snapshot)
        return [(name, kind) for name, kind in found.items() if not name.startswith("_")]


SHORT = settings(max_examples=4, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(SHORT, max_examples=200, stateful_step_count=40)

TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = LONG if settings.get_current_profile_name() == "long" else SHORT
