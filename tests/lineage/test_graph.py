from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecluse.errors import DefinitionError
from ecluse.lineage import (
    ROWS,
    ColumnLink,
    DatasetInfo,
    Graph,
    Reached,
    RunInfo,
    columns_of,
    columns_of_files,
    events,
    not_extracted,
    run_uuid,
)
from ecluse.model.outcome import CheckReport

DAY = datetime(2013, 1, 1, tzinfo=UTC)
RAW = {"id": "BIGINT", "delay": "DOUBLE", "carrier": "VARCHAR"}
CLEAN = {"id": "BIGINT", "late": "DOUBLE"}
SQL = "SELECT id, delay + 1 AS late FROM r WHERE carrier <> 'XX'"
PRODUCT = "SELECT c.late AS lateness, w.wind, count(*) AS n FROM c JOIN w ON c.id = w.id GROUP BY ALL"


def _run(output, inputs, lineage, *, day, partition=None, update="replace", columns=None, kind="ASSET"):
    info = RunInfo(
        run_uuid(output, partition, day),
        output,
        "flights",
        "demo",
        job_type=kind,
        partition=partition,
        parameters={"update": update},
    )
    out = DatasetInfo(output, version=str(day), columns=columns or {}, lineage=lineage)
    return events.complete(info, DAY + timedelta(days=day), inputs=inputs, outputs=[out])


def _collected(month, day, update="replace"):
    file = DatasetInfo.of_file(f"pypi:x==1/{month}.csv", "00" * 32, 1)
    return _run(
        "raw.flights",
        [file],
        columns_of_files([file.name], RAW),
        day=day,
        partition=month,
        columns=RAW,
        kind="SOURCE",
        update=update,
    )


def _cleaned(day, sql=SQL):
    lineage = columns_of(sql, {"r": ("raw.flights", RAW)})
    return _run("clean.flights", [DatasetInfo("raw.flights", columns=RAW)], lineage, day=day, columns=CLEAN)


def _product(day):
    weather = {"id": "BIGINT", "wind": "DOUBLE"}
    lineage = columns_of(PRODUCT, {"c": ("clean.flights", CLEAN), "w": ("clean.weather", weather)})
    inputs = [DatasetInfo("clean.flights", columns=CLEAN), DatasetInfo("clean.weather", columns=weather)]
    columns = {"lateness": "DOUBLE", "wind": "DOUBLE", "n": "BIGINT"}
    return _run("products.delays", inputs, lineage, day=day, columns=columns)


def _scored(day):
    columns = {"score": "DOUBLE"}
    return _run(
        "products.scores",
        [DatasetInfo("products.delays")],
        not_extracted("a Python function"),
        day=day,
        columns=columns,
    )


RECORD = [_collected("2013-01", 1), _collected("2013-02", 2), _cleaned(3), _product(4), _scored(5)]


@pytest.fixture(scope="module")
def graph():
    return Graph(RECORD)


def _names(part):
    return [node.id for node in part.nodes]


def test_upstream_leads_to_the_files(graph):
    part = graph.upstream("products.delays")
    assert _names(part) == [
        "clean.flights",
        "clean.weather",
        "products.delays",
        "pypi:x==1/2013-01.csv",
        "pypi:x==1/2013-02.csv",
        "raw.flights",
    ]
    assert part.edges == (
        ("clean.flights", "products.delays"),
        ("clean.weather", "products.delays"),
        ("pypi:x==1/2013-01.csv", "raw.flights"),
        ("pypi:x==1/2013-02.csv", "raw.flights"),
        ("raw.flights", "clean.flights"),
    )
    assert {n.id: n.kind for n in part.nodes}["pypi:x==1/2013-01.csv"] == "file"


def test_depth_bounds_the_steps(graph):
    assert _names(graph.upstream("products.delays", depth=1)) == ["clean.flights", "clean.weather", "products.delays"]
    assert _names(graph.upstream("products.delays", depth=0)) == ["products.delays"]


def test_downstream_leads_to_what_was_made_from_it(graph):
    assert _names(graph.downstream("raw.flights")) == [
        "clean.flights",
        "products.delays",
        "products.scores",
        "raw.flights",
    ]


def test_a_column_is_traced_to_the_files_that_it_came_from(graph):
    trace = graph.column_upstream("products.delays", "lateness")
    assert trace.origins == (("pypi:x==1/2013-01.csv", "delay"), ("pypi:x==1/2013-02.csv", "delay"))
    assert ColumnLink("raw.flights", "delay", "clean.flights", "late", "DIRECT", "TRANSFORMATION") in trace.links
    assert len(trace.links) == 4
    assert trace.unknown == ()


def test_the_columns_that_decided_about_rows_are_followed_on_request(graph):
    trace = graph.column_upstream("clean.flights", "late", rows=True)
    assert {(link.source_column, link.target_column) for link in trace.links} == {
        ("delay", "late"),
        ("carrier", ROWS),
        ("delay", "delay"),
        ("carrier", "carrier"),
    }


def test_a_count_of_rows_comes_from_no_column(graph):
    trace = graph.column_upstream("products.delays", "n")
    assert (trace.links, trace.origins, trace.unknown) == ((), (), ())


def test_the_record_ends_where_no_run_is_known(graph):
    assert graph.column_upstream("products.delays", "wind").origins == (("clean.weather", "wind"),)


def test_a_column_of_unknown_lineage_says_so(graph):
    trace = graph.column_upstream("products.scores", "score")
    assert trace.unknown == (("products.scores", "a Python function"),)


def test_impact_tells_values_deciders_and_the_unknown_apart(graph):
    assert graph.impact("raw.flights", "delay") == (
        Reached("clean.flights", "late", "DIRECT"),
        Reached("products.delays", ROWS, "INDIRECT"),
        Reached("products.delays", "lateness", "DIRECT"),
        Reached("products.scores", ROWS, "UNKNOWN"),
    )
    assert graph.impact("raw.flights", "carrier") == (
        Reached("clean.flights", ROWS, "INDIRECT"),
        Reached("products.delays", ROWS, "INDIRECT"),
        Reached("products.scores", ROWS, "UNKNOWN"),
    )


def test_as_of_a_time_only_what_was_recorded_by_then_counts():
    then = Graph(RECORD, at=DAY + timedelta(days=3))
    assert _names(then.downstream("raw.flights")) == ["clean.flights", "raw.flights"]
    with pytest.raises(DefinitionError, match=r"products\.delays"):
        then.upstream("products.delays")


def test_the_newest_run_of_each_partition_counts():
    again = Graph([*RECORD, _cleaned(6, "SELECT id, 0.0 AS late FROM r")])
    assert again.column_upstream("clean.flights", "late").links == ()
    assert len(again.upstream("raw.flights").links) == 2


def test_appended_rows_keep_the_lineage_of_those_before():
    def files(update):
        record = [_collected("2013-01", 1), _collected("2013-02", 2)]
        for event in record:
            parameters = event["run"]["facets"]["executionParameters"]["parameters"]
            event["run"]["facets"]["executionParameters"]["parameters"] = [
                p | {"value": update} for p in parameters if p["key"] == "update"
            ]
        return len(Graph(record).upstream("raw.flights").links)

    assert (files("append"), files("replace")) == (2, 1)


def test_failed_runs_checks_and_reads_make_nothing():
    info = RunInfo(run_uuid(1), "clean.flights", "flights", "demo")
    dataset = DatasetInfo("clean.flights", columns=CLEAN)
    others = [
        events.fail(info, DAY, ValueError(), inputs=[DatasetInfo("raw.wrong")], outputs=[dataset]),
        *events.check_run(info, DAY, DAY, dataset=dataset, report=CheckReport("clean.flights", "", "", (), 0)),
        *events.read_run(info, DAY, DAY, datasets=[DatasetInfo("raw.flights")], purpose="p"),
    ]
    assert Graph([*RECORD, *others]).difference(Graph(RECORD)) == Graph(RECORD).difference(Graph(RECORD))


def test_the_difference_of_two_times():
    found = Graph(RECORD, at=DAY + timedelta(days=3)).difference(Graph(RECORD))
    assert found.added == ("clean.weather", "products.delays", "products.scores")
    assert ("clean.flights", "products.delays") in found.links_added
    assert (found.removed, found.links_removed, found.columns_removed) == ((), (), ())


def test_the_order_in_which_events_are_given_does_not_matter():
    assert Graph(reversed(RECORD)).columns == Graph(RECORD).columns


def test_a_dataset_that_reads_itself_is_no_endless_way():
    lineage = columns_of("SELECT id FROM me", {"me": ("a.b", {"id": "BIGINT"})})
    graph = Graph([_run("a.b", [DatasetInfo("a.b")], lineage, day=1, columns={"id": "BIGINT"})])
    assert _names(graph.upstream("a.b")) == ["a.b"]
    assert graph.impact("a.b", "id") == ()
    assert len(graph.column_upstream("a.b", "id").links) == 1


def test_what_decided_about_rows_can_be_asked_for_alone(graph):
    trace = graph.column_upstream("clean.flights", ROWS)
    assert trace.origins == (("pypi:x==1/2013-01.csv", "carrier"), ("pypi:x==1/2013-02.csv", "carrier"))


def test_a_name_that_nobody_knows_is_an_error_that_lists_the_known(graph):
    with pytest.raises(DefinitionError, match="lateness"):
        graph.column_upstream("products.delays", "nothing")
    with pytest.raises(DefinitionError, match=r"raw\.flights"):
        graph.downstream("raw.flight")
