"""Écluse's assets as Dagster runs and shows them; the only package that imports dagster."""

from ecluse.orchestration.assets import asset, source
from ecluse.orchestration.definitions import definitions
from ecluse.orchestration.guard import guard
from ecluse.orchestration.resources import EcluseResource, PublishedIOManager

__all__ = ["EcluseResource", "PublishedIOManager", "asset", "definitions", "guard", "source"]
