"""The upstream picture as inline SVG: what a dataset was made from, read from left to right."""

from __future__ import annotations

from collections import defaultdict

from markupsafe import Markup, escape

from ecluse import texts
from ecluse.lineage import Line, Part, draw

#: Files that feed the same dataset are drawn one by one up to this many, and as one box above it.
_SINGLE = 2
_LABEL = 30


def upstream_svg(part: Part, dataset: str, lang: str) -> Markup:
    """The picture, with a text for those who can't see it; sizes are relative, colours come from the page."""
    targets = defaultdict(set)
    for source, target in part.edges:
        targets[source].add(target)
    files = {n.id for n in part.nodes if n.kind == "file"}
    feeding = defaultdict(list)
    for file in sorted(files):
        feeding[tuple(sorted(targets[file]))].append(file)
    box = {n.id: n.id for n in part.nodes}
    label = {n.id: _short(n.id) if n.id in files else n.id for n in part.nodes}
    for group in feeding.values():
        if len(group) > _SINGLE:
            name = f"\0{group[0]}"
            box |= dict.fromkeys(group, name)
            label[name] = texts.say("report.picture.files", lang=lang, count=len(group))
    nodes = {box[n.id]: (box[n.id], label[box[n.id]], n.kind) for n in part.nodes}
    picture = draw([*nodes.values()], {(box[s], box[t]) for s, t in part.edges})
    lines = "".join(f'<path class="edge" d="{_curve(line)}"/>' for line in picture.edges)
    boxes = "".join(
        f'<g class="node {node.kind}{" self" if node.id == dataset else ""}">'
        f'<rect x="{node.x:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" height="{node.height:.1f}" rx="6"/>'
        f'<text x="{node.x + node.width / 2:.1f}" y="{node.y + node.height / 2 + 4:.1f}">{escape(node.label)}</text>'
        f"<title>{escape(node.id.lstrip(chr(0)))}</title></g>"
        for node in picture.nodes
    )
    said = texts.say(
        "report.picture.alt",
        lang=lang,
        dataset=dataset,
        sources=", ".join(sorted(n.id for n in part.nodes if n.id != dataset)),
    )
    width, height = picture.width, picture.height
    return Markup(  # noqa: S704 - every text in it was escaped above
        f'<svg role="img" viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width:.0f}px" '
        f'aria-label="{escape(said)}">{lines}{boxes}</svg>'
    )


def _curve(line: Line) -> str:
    (x, y), *rest = line.points
    path = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        path += f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return path


def _short(origin: str) -> str:
    name = origin.rstrip("/").rsplit("/", 1)[-1]
    return name if len(name) <= _LABEL else f"…{name[1 - _LABEL :]}"
