r"""Values against values: how good are the labels.

ImageLabels (truth, predicted) --pairs--> Pair --coco_eval--> official numbers
                                               \--matching--> verdicts, P, R, F1
`judge` adds what explains the numbers: names, naming or seeing, kinds of errors.
"""

from .anatomy import anatomy
from .faults import Anatomy, ErrorKind, Fault, KindCost
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
from .suspects import Suspect, suspects

__all__ = [
    "Anatomy",
    "ClassScores",
    "CocoCurves",
    "CocoNumbers",
    "Counts",
    "Engine",
    "ErrorKind",
    "Fault",
    "How",
    "Judged",
    "KindCost",
    "Mapped",
    "Match",
    "Metrics",
    "NameUse",
    "Names",
    "Ontology",
    "Scores",
    "Shape",
    "ShapeScores",
    "Suspect",
    "anatomy",
    "evaluate",
    "judge",
    "map_labels",
    "read_ontology",
    "suspects",
]
