"""Where to draw the boxes and lines of a lineage picture: layers by longest path, ordered by barycentre."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ecluse.lineage.graph import Part

#: Sizes in pixels. A box is as wide as its layer's longest label.
_CHARACTER, _PADDING, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 7.2, 24.0, 36.0, 72.0, 20.0, 12.0

#: Sweeps of the barycentre ordering; more change nothing on graphs of this kind.
_SWEEPS = 8

_Edge = tuple[str, str]


@dataclass(frozen=True)
class Box:
    """One node: ``x`` and ``y`` are its upper left corner."""

    id: str
    label: str
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """One edge, from the right side of its source to the left side of its target, through ``points``."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Picture:
    """A drawing that reads from left (sources) to right, ``width`` × ``height`` pixels."""

    nodes: tuple[Box, ...]
    edges: tuple[Line, ...]
    width: float
    height: float


def picture_of(part: Part, labels: Mapping[str, str] | None = None) -> Picture:
    """The picture of a part of the graph; ``labels`` replaces the names of some datasets."""
    shown = labels or {}
    return draw([(n.id, shown.get(n.id, n.id), n.kind) for n in part.nodes], part.edges)


def draw(nodes: Sequence[tuple[str, str, str]], edges: Iterable[_Edge]) -> Picture:
    """The picture of any directed graph: ``nodes`` are (id, label, kind), ``edges`` pairs of ids.

    The same graph gives the same picture. Edges of a cycle are drawn against the reading direction; an edge from a
    node to itself isn't drawn.
    """
    ids = [identity for identity, _, _ in nodes]
    wanted = sorted({(a, b) for a, b in edges if a != b})
    turned = _turned(ids, wanted)
    upright = sorted({edge[::-1] if edge in turned else edge for edge in wanted})
    layers = _layers(ids, upright)
    routes = {edge: _route(edge, layers) for edge in upright}
    order = _ordered(ids, layers, routes)
    labels = {identity: label for identity, label, _ in nodes}
    lefts, widths = _columns(order, labels)
    tops = _rows(order)
    boxes = tuple(
        Box(i, label, kind, lefts[layers[i]], tops[i], widths[layers[i]], _HEIGHT) for i, label, kind in nodes
    )
    points = {edge: _points(route, layers, lefts, widths, tops) for edge, route in routes.items()}
    lines = tuple(
        Line(*edge, tuple(reversed(points[edge[::-1]]) if edge in turned else points[edge])) for edge in wanted
    )
    return Picture(
        nodes=boxes,
        edges=lines,
        width=max((b.x + b.width for b in boxes), default=0.0) + _MARGIN,
        height=max((y + _HEIGHT for y in tops.values()), default=0.0) + _MARGIN,
    )


def _turned(ids: Sequence[str], edges: Sequence[_Edge]) -> set[_Edge]:
    """The edges that lead back to where a walk came from: without them, or turned round, there is no cycle."""
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
    turned: set[_Edge] = set()
    state: dict[str, int] = {}
    for root in ids:
        if root in state:
            continue
        state[root] = 1
        path = [(root, iter(after[root]))]
        while path:
            node, targets = path[-1]
            target = next(targets, "")
            if not target:
                state[node] = 2
                path.pop()
            elif target not in state:
                state[target] = 1
                path.append((target, iter(after[target])))
            elif state[target] == 1:
                turned.add((node, target))
    return turned


def _layers(ids: Sequence[str], edges: Sequence[_Edge]) -> dict[str, int]:
    """Each node one layer after the last of its sources."""
    before: dict[str, int] = dict.fromkeys(ids, 0)
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
        before[target] += 1
    layer = dict.fromkeys(ids, 0)
    ready = [i for i in ids if not before[i]]
    while ready:
        node = ready.pop()
        for target in after[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            before[target] -= 1
            if not before[target]:
                ready.append(target)
    return layer


def _route(edge: _Edge, layers: Mapping[str, int]) -> tuple[str, ...]:
    """An edge as a chain with one invisible node in each layer that it crosses, which keeps it clear of boxes."""
    source, target = edge
    between = (f"{source}\0{target}\0{layer}" for layer in range(layers[source] + 1, layers[target]))
    return (source, *between, target)


def _ordered(ids: Sequence[str], layers: Mapping[str, int], routes: Mapping[_Edge, tuple[str, ...]]) -> list[list[str]]:
    """The nodes of each layer from top to bottom, each near the middle of its neighbours."""
    order: list[list[str]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for identity in ids:
        order[layers[identity]].append(identity)
    left: dict[str, list[str]] = defaultdict(list)
    right: dict[str, list[str]] = defaultdict(list)
    for route in routes.values():
        for step, (a, b) in enumerate(pairwise(route), start=layers[route[0]]):
            left[b].append(a)
            right[a].append(b)
            if b != route[-1]:
                order[step + 1].append(b)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        neighbours = left if forward else right
        for layer in order if forward else reversed(order):
            place = {node: n for found in order for n, node in enumerate(found)}
            now = {node: n for n, node in enumerate(layer)}
            layer.sort(key=lambda node: _barycentre(neighbours[node], place, now[node]))
    return order


def _barycentre(neighbours: Sequence[str], place: Mapping[str, int], own: int) -> float:
    return sum(place[n] for n in neighbours) / len(neighbours) if neighbours else float(own)


def _columns(order: Sequence[Sequence[str]], labels: Mapping[str, str]) -> tuple[list[float], list[float]]:
    widths = [
        max((len(labels[node]) for node in layer if node in labels), default=0) * _CHARACTER + _PADDING
        for layer in order
    ]
    lefts, x = [], _MARGIN
    for width in widths:
        lefts.append(x)
        x += width + _GAP_X
    return lefts, widths


def _rows(order: Sequence[Sequence[str]]) -> dict[str, float]:
    """Upper edges; each layer is centred on the tallest."""
    step = _HEIGHT + _GAP_Y
    tallest = max((len(layer) for layer in order), default=0)
    return {
        node: _MARGIN + ((tallest - len(layer)) / 2 + place) * step
        for layer in order
        for place, node in enumerate(layer)
    }


def _points(
    route: Sequence[str],
    layers: Mapping[str, int],
    lefts: Sequence[float],
    widths: Sequence[float],
    tops: Mapping[str, float],
) -> list[tuple[float, float]]:
    """The corners of a chain, from the right side of its first node to the left side of its last."""
    first = layers[route[0]]
    middle = {node: tops[node] + _HEIGHT / 2 for node in route}
    points = [(lefts[first] + widths[first], middle[route[0]])]
    for layer, node in enumerate(route[1:-1], start=first + 1):
        points += [(lefts[layer], middle[node]), (lefts[layer] + widths[layer], middle[node])]
    return [*points, (lefts[layers[route[-1]]], middle[route[-1]])]
