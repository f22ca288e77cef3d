"""The reference project's datasets, each made once by its own guarded step, from all of the real data."""

import shutil
from pathlib import Path

import pytest

from ecluse.model.step import StepDefinition
from ecluse.orchestration.registry import step_definition
from ecluse.testing import TestedStep, run_step
from pipelines import arrivals
from pipelines.datasets import ASSETS

ROOT = Path(__file__).parents[2]
BY_NAME = {step_definition(asset).name: asset for asset in ASSETS}
#: Inputs before what is made of them. The model reads through the door, so the demo makes its predictions.
IN_ORDER = (
    "raw.airlines",
    "raw.airports",
    "raw.airport_directory",
    "raw.planes",
    "raw.weather",
    "raw.flights",
    "clean.airlines",
    "clean.airport_directory",
    "clean.airports",
    "clean.planes",
    "clean.weather",
    "clean.flights",
    "products.delay_features",
    "products.cancelled_by_carrier",
    "products.daily_operations",
    "raw.people",
    "clean.people",
    "products.debuts",
)


def step_of(name: str) -> StepDefinition:
    """The definition of a dataset's step."""
    return step_definition(BY_NAME[name])


def _carry_out(name: str, made: dict[str, TestedStep], **arguments) -> TestedStep:
    """The step of a dataset, on inputs that were made before."""
    asset = BY_NAME[name]
    inputs = {i.param: made[i.dataset].candidate for i in step_definition(asset).ins}
    return run_step(asset, inputs, **arguments)


@pytest.fixture
def carry_out():
    """Carries out the step of a dataset: ``carry_out(name, made, partition=…)``."""
    return _carry_out


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A folder with the project's charter, into whose inbox deliveries arrive."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "charter.yaml", root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECLUSE_PROJECT", str(root))
        yield root


@pytest.fixture(scope="session")
def year(project) -> dict[str, TestedStep]:
    """Every dataset over the whole year, which arrives here as one delivery."""
    arrivals.deliver_directory(arrivals.SECOND_RELEASE)
    months = [arrivals.deliver_month(month) for month in arrivals.months()]
    header = months[0].read_bytes().splitlines(keepends=True)[0]
    whole = header + b"".join(m.read_bytes().removeprefix(header) for m in months)
    (project / "inbox" / "flights" / "flights-2013.csv").write_bytes(whole)
    made: dict[str, TestedStep] = {}
    for name in IN_ORDER:
        made[name] = _carry_out(name, made, partition="2013" if name == "raw.flights" else None)
    return made
