r"""Values against values: how good are the labels.

ImageLabels (truth, predicted) --pairs--> Pair --coco_eval--> official numbers
                                               \--matching--> verdicts, P, R, F1
"""

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
    "Match",
    "Metrics",
    "Scores",
    "Shape",
    "ShapeScores",
    "evaluate",
]
