"""`Report` -> one HTML file that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .content import Report
from .sorting import places
from .texts import interval, moment, number, shortened

TEMPLATE = "report.html.j2"


def to_html(report: Report) -> str:
    """Lay out a report as HTML; every text is escaped by the template engine."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "moment": moment,
        "interval": interval,
        "data_uri": _data_uri,
        "places": places,
        "shortened": shortened,
    }
    return environment.get_template(TEMPLATE).render(report=report)


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
