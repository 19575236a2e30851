"""Blocks of a report as parts of a page in the App."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fiftyone.operators import types

from ..report.content import Block


def block_records(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Give blocks as plain values: title, texts, columns and rows of texts."""
    return [
        {
            "title": block.title,
            "texts": list(block.texts),
            "columns": list(block.table.columns) if block.table else [],
            "rows": [
                {f"c{place}": cell.text for place, cell in enumerate(row)}
                for row in (block.table.rows if block.table else ())
            ],
        }
        for block in blocks
    ]


def show_blocks(page: types.Object, blocks: Sequence[dict[str, Any]]) -> None:
    """Show blocks one below the other; their rows come with the page's data."""
    for number, block in enumerate(blocks):
        lines = [f"#### {block['title']}", *block["texts"]]
        page.md("\n\n".join(lines), name=f"block_{number}")
        if not block["rows"]:
            continue
        table = types.TableView()
        for place, title in enumerate(block["columns"]):
            table.add_column(f"c{place}", label=title)
        page.list(f"rows_{number}", types.Object(), view=table, default=block["rows"])


def rows_of(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give the rows of each block under the name that `show_blocks` reads."""
    return {f"rows_{n}": b["rows"] for n, b in enumerate(blocks) if b["rows"]}
