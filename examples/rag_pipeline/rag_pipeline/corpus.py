"""The Python language reference, as `help()` knows it, cut into passages.

The topics overlap: `compound` repeats the whole of `if`, `for` and `try`. A paragraph that
several topics contain belongs to the shortest of them, which is the most specific one.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pydoc_data.topics import topics

from rag_pipeline.built_once import built_once
from rag_pipeline.tokens import tokenise

PASSAGE_WORDS = 120
"""A passage takes whole paragraphs until it holds about this many words."""

_HEADING = re.compile(r"(?P<title>[^\n]+)\n([*=\-~^\"])\2{2,}")


@dataclass(frozen=True)
class Passage:
    """A few consecutive paragraphs of one section; the unit that retrievers rank."""

    topic: str
    title: str
    text: str

    @property
    def searchable(self) -> str:
        """The text with its headings, which often name what the text calls only "it"."""
        return f"{self.title}\n{self.text}"


@built_once
def passages() -> tuple[Passage, ...]:
    """Return all passages of the reference, topic by topic in reading order."""
    return split_into_passages(topics)


def split_into_passages(reference: Mapping[str, str]) -> tuple[Passage, ...]:
    """Cut topics into passages that never cross a section, each paragraph in one topic only."""
    owners = _owners(reference)
    return tuple(
        passage
        for topic, text in reference.items()
        for title, paragraphs in _sections(text)
        for passage in _pack(
            topic, title, (each for each in paragraphs if owners[_normalised(each)] == topic)
        )
    )


@built_once
def term_weights() -> Mapping[str, float]:
    """Return the inverse document frequency of every term, as BM25 in Lucene defines it."""
    total = len(passages())
    frequency = Counter(
        term for passage in passages() for term in set(tokenise(passage.searchable))
    )
    return {
        term: math.log(1 + (total - count + 0.5) / (count + 0.5))
        for term, count in frequency.items()
    }


def _owners(reference: Mapping[str, str]) -> dict[str, str]:
    """Return for each paragraph the shortest topic that contains it."""
    owners: dict[str, str] = {}
    for topic in sorted(reference, key=lambda name: (len(reference[name]), name)):
        for paragraph in _paragraphs(reference[topic]):
            owners.setdefault(_normalised(paragraph), topic)
    return owners


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each section's heading, led by the topic's own, and its paragraphs."""
    topic_title = title = ""
    paragraphs: list[str] = []
    for paragraph in _paragraphs(text):
        heading = _HEADING.fullmatch(paragraph)
        if heading is None:
            paragraphs.append(paragraph)
            continue
        yield title, paragraphs
        paragraphs = []
        topic_title = topic_title or heading["title"]
        title = (
            topic_title if topic_title == heading["title"] else f"{topic_title}: {heading['title']}"
        )
    yield title, paragraphs


def _pack(topic: str, title: str, paragraphs: Iterable[str]) -> Iterator[Passage]:
    """Join consecutive paragraphs into passages of about `PASSAGE_WORDS` words."""
    taken: list[str] = []
    words = 0
    for paragraph in paragraphs:
        length = len(paragraph.split())
        if taken and words + length > PASSAGE_WORDS:
            yield Passage(topic, title, "\n\n".join(taken))
            taken, words = [], 0
        taken.append(paragraph)
        words += length
    if taken:
        yield Passage(topic, title, "\n\n".join(taken))


def _paragraphs(text: str) -> list[str]:
    return [part.rstrip() for part in re.split(r"\n\s*\n", text.strip("\n")) if part.strip()]


def _normalised(paragraph: str) -> str:
    return " ".join(paragraph.split())
