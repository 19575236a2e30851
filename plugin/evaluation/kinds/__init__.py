"""Labels of other kinds than objects against their truth: tags, texts, points, spans.

ImageLabels (truth, predicted) --pairs--> ItemPair --tags, texts, points, spans-->
Judgement --numbers--> KindScores, each number over all and over answered items.
"""

from .judging import find_kind, judge_kind
from .numbers import ItemVerdict, KindScores, Mark, Measure, Number, Sheet
from .sightings import Moments, split_moments

__all__ = [
    "ItemVerdict",
    "KindScores",
    "Mark",
    "Measure",
    "Moments",
    "Number",
    "Sheet",
    "find_kind",
    "judge_kind",
    "split_moments",
]
