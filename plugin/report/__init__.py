"""Scores to one self-contained HTML file, Markdown and JSON.

Section (run, scores, labels) --build--> Report --as_html, as_markdown, as_json--> files
"""

from .build import build_report
from .content import KindSection, Report, ReportFiles, Section
from .kinds import build_kind_report
from .write import write_report

__all__ = [
    "KindSection",
    "Report",
    "ReportFiles",
    "Section",
    "build_kind_report",
    "build_report",
    "write_report",
]
