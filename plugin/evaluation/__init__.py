r"""Values against values: how good are the labels.

ImageLabels (truth, predicted) --pairs--> Pair --coco_eval--> official numbers
                                               \--matching--> verdicts, P, R, F1
`judge` adds what explains the numbers: names matched, all names made one.
"""

from .judging import Judged, judge
from .names import How, Names, NameUse
from .ontology import Mapped, Ontology, map_labels, read_ontology
from .scores import (
    ClassScores,
    CocoCurves,
    CocoNumbers,
    Counts,
    Engine,
    Match,
    Metrics,
    Scores,
    Shape,
    ShapeScores,
)
from .scoring import evaluate

__all__ = [
    "ClassScores",
    "CocoCurves",
    "CocoNumbers",
    "Counts",
    "Engine",
    "How",
    "Judged",
    "Mapped",
    "Match",
    "Metrics",
    "NameUse",
    "Names",
    "Ontology",
    "Scores",
    "Shape",
    "ShapeScores",
    "evaluate",
    "judge",
    "map_labels",
    "read_ontology",
]
