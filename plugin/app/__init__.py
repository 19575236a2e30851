"""FiftyOne operators and the panel: read the form, call the pipeline, show the result."""

from __future__ import annotations

from .compare_runs import CompareRuns
from .evaluate import Evaluate
from .export_coco import ExportCoco
from .import_coco import ImportCoco
from .label_samples import LabelSamples, PlanLabels
from .manage_runs import ManageRuns, ResumeRun
from .open_report import OpenReport
from .panel import GeminiPanel
from .review import Review

OPERATORS = (
    *(LabelSamples, PlanLabels, ResumeRun, ManageRuns),
    *(Evaluate, CompareRuns, OpenReport, Review),
    *(ExportCoco, ImportCoco, GeminiPanel),
)
