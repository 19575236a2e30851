"""Scores to one self-contained HTML file, Markdown and JSON.

Section (run, scores, labels) --build--> Report --as_html, as_markdown, as_json--> files
"""

from .build import build_report
from .content import Report, ReportFiles, Section
from .write import write_report

__all__ = ["Report", "ReportFiles", "Section", "build_report", "write_report"]
