from __future__ import annotations

import time
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.lineage import Node, Part, draw, picture_of
from ecluse.lineage.history import Link

names = st.sampled_from([f"n{i}" for i in range(9)])


def _draw(edges, ids=()):
    found = sorted({n for edge in edges for n in edge} | set(ids))
    return draw([(n, n, "table") for n in found], edges)


def _box(picture, name):
    return next(box for box in picture.nodes if box.id == name)


def test_sources_stand_left_of_what_is_made_from_them():
    picture = _draw([("raw", "clean"), ("clean", "product"), ("raw", "product")])
    assert _box(picture, "raw").x < _box(picture, "clean").x < _box(picture, "product").x


def test_a_long_line_keeps_clear_of_the_boxes_between():
    picture = _draw([("raw", "clean"), ("clean", "product"), ("raw", "product")])
    clean = _box(picture, "clean")
    line = next(line for line in picture.edges if (line.source, line.target) == ("raw", "product"))
    crossing = [y for x, y in line.points if clean.x <= x <= clean.x + clean.width]
    assert len(crossing) == 2
    assert all(y < clean.y or y > clean.y + clean.height for y in crossing)


def test_lines_that_need_not_cross_do_not():
    picture = _draw([("a", "z"), ("b", "y"), ("c", "x")])
    lines = [(_box(picture, line.source).y, _box(picture, line.target).y) for line in picture.edges]
    assert all((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in combinations(lines, 2))


def test_a_cycle_is_drawn_with_one_line_that_leads_back():
    picture = _draw([("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    back = [line for line in picture.edges if line.points[0][0] > line.points[-1][0]]
    assert len(picture.edges) == 3
    assert len(back) == 1


def test_nothing_is_an_empty_picture():
    assert draw([], []).nodes == ()


def test_a_part_of_the_graph_with_its_labels():
    part = Part(
        (Node("pypi:x/a.csv", "file"), Node("raw.a", "table")),
        tuple(Link("pypi:x/a.csv", "raw.a", month, "r", "t") for month in ("01", "02")),
    )
    picture = picture_of(part, {"pypi:x/a.csv": "a.csv"})
    assert [(box.label, box.kind) for box in picture.nodes] == [("a.csv", "file"), ("raw.a", "table")]
    assert len(picture.edges) == 1


@settings(deadline=None)
@given(edges=st.lists(st.tuples(names, names), max_size=20), ids=st.lists(names, max_size=4))
def test_any_graph_has_a_picture_without_overlaps(edges, ids):
    picture = _draw(edges, ids)
    assert picture == _draw(edges, ids)
    for a, b in combinations(picture.nodes, 2):
        assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
    for box in picture.nodes:
        assert 0 <= box.x <= box.x + box.width <= picture.width
        assert 0 <= box.y <= box.y + box.height <= picture.height
    assert {(line.source, line.target) for line in picture.edges} == {(a, b) for a, b in edges if a != b}
    for line in picture.edges:
        source, target = _box(picture, line.source), _box(picture, line.target)
        turned = line.points[0][0] > line.points[-1][0]
        left, right = (target, source) if turned else (source, target)
        ends = line.points[::-1] if turned else line.points
        assert ends[0] == (left.x + left.width, left.y + left.height / 2)
        assert ends[-1] == (right.x, right.y + right.height / 2)
        assert all(a[0] < b[0] for a, b in pairwise(ends))


def test_a_thousand_nodes_are_drawn_at_once():
    edges = [(f"n{i}", f"n{i * 7 % 997 + 3}") for i in range(1000)]
    began = time.process_time()
    _draw([e for e in edges if e[0] < e[1]], [f"n{i}" for i in range(1003)])
    assert time.process_time() - began < 5
