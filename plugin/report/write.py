"""`Report` -> three files: HTML for people, Markdown for wikis, JSON for programs."""

from __future__ import annotations

from pathlib import Path

from .as_html import to_html
from .as_json import to_json
from .as_markdown import to_markdown
from .content import Report, ReportFiles


def write_report(report: Report, folder: Path) -> ReportFiles:
    """Write `report.html`, `report.md` and `report.json`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    return ReportFiles(
        html=_write(folder / "report.html", to_html(report)),
        markdown=_write(folder / "report.md", to_markdown(report)),
        json=_write(folder / "report.json", to_json(report)),
    )


def _write(path: Path, text: str) -> Path:
    """Write UTF-8; half a character (a lone surrogate from a reply) becomes `?`."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, "utf-8", "replace", newline="\n")
    return unfinished.replace(path)
