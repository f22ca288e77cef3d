"""Facts looked up from the newest backwards: indexed by parts, each when a question reaches it.

Most questions are answered by the newest facts, so that a long history costs them little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter

from ecluse.model.facts import Fact, SignedFact

#: How many facts are indexed at a time.
_PART = 128
#: By what facts are looked up: the words of one, under each of which it is found.
By = Callable[[Fact], Iterable[object]]


class Backwards:
    """Facts in the order of the log. ``before`` leaves only those of the log's first so many."""

    def __init__(self) -> None:
        self.facts: list[SignedFact] = []
        self._parts: dict[tuple[By, int], Mapping[object, list[int]]] = {}

    def until(self, before: int | None) -> Sequence[SignedFact]:
        """All of them, the oldest first."""
        return self.facts if before is None else self.facts[: self._end(before)]

    def found(self, by: By, word: object, before: int | None = None) -> Iterator[SignedFact]:
        """Those with a word, the newest first."""
        end = self._end(before)
        for part in range(-(-end // _PART) - 1, -1, -1):
            for at in reversed(self._part(by, part).get(word, ())):
                if at < end:
                    yield self.facts[at]

    def _end(self, before: int | None) -> int:
        return len(self.facts) if before is None else bisect_left(self.facts, before, key=attrgetter("position"))

    def _part(self, by: By, part: int) -> Mapping[object, list[int]]:
        """By word, where in a part of the facts it stands."""
        index = self._parts.get((by, part))
        if index is None:
            index = self._parts[by, part] = defaultdict(list)
            begin = part * _PART
            for at, signed in enumerate(self.facts[begin : begin + _PART], begin):
                for word in by(signed.fact):
                    index[word].append(at)
        return index


# NOTE: a fact may say anything. What is no text isn't a word, and needn't even have a hash.


def dataset(fact: Fact) -> Iterable[object]:
    """The dataset that a fact is about."""
    named = fact.predicate.get("dataset")
    return (named,) if isinstance(named, str) else ()


def digests(fact: Fact) -> Iterable[object]:
    """The digests that a fact is about, each once."""
    stated: list[object] = [subject.sha256 for subject in fact.subjects]
    return {digest for digest in stated if isinstance(digest, str)}


def observed(fact: Fact) -> Iterable[object]:
    """The digests on which a KPI was observed."""
    return digests(fact) if fact.predicate.get("about") == "kpi" else ()


@cache
def saying(*names: str) -> By:
    """What a fact says under some names, where all of it is text."""

    def said(fact: Fact) -> Iterable[object]:
        words = tuple([fact.predicate.get(name) for name in names])
        return (words,) if {str}.issuperset(map(type, words)) else ()

    return said
