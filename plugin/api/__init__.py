"""The Python interface: label, foresee, judge, report, accept and undo FiftyOne samples.

Operators and panel call the same functions, so that the App, Python and delegated runs
give the same results and the same errors.
"""

from .accepting import accept, promote, reject, undo
from .judging import compare, compare_fields, evaluate, judge_field, report
from .labelling import label, plan, resume
from .reviewing import open_for_review, review_of

__all__ = [
    "accept",
    "compare",
    "compare_fields",
    "evaluate",
    "judge_field",
    "label",
    "open_for_review",
    "plan",
    "promote",
    "reject",
    "report",
    "resume",
    "review_of",
    "undo",
]
