"""Where data came from: OpenLineage events, column lineage, and the questions that both answer."""

from ecluse.lineage.columns import columns_of, columns_of_files, not_extracted
from ecluse.lineage.describe import DatasetInfo, Parent, RunInfo
from ecluse.lineage.graph import Difference, Graph, Part, Reached, Trace
from ecluse.lineage.history import ROWS, ColumnLink, Link, Node
from ecluse.lineage.layout import Box, Line, Picture, draw, picture_of
from ecluse.lineage.namespaces import PRODUCER, project_namespace, run_uuid
from ecluse.lineage.store import EventStore, Forwarded

__all__ = [
    "PRODUCER",
    "ROWS",
    "Box",
    "ColumnLink",
    "DatasetInfo",
    "Difference",
    "EventStore",
    "Forwarded",
    "Graph",
    "Line",
    "Link",
    "Node",
    "Parent",
    "Part",
    "Picture",
    "Reached",
    "RunInfo",
    "Trace",
    "columns_of",
    "columns_of_files",
    "draw",
    "not_extracted",
    "picture_of",
    "project_namespace",
    "run_uuid",
]
