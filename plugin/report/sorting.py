"""In which order the rows of a table come, by each of its columns.

The page sorts by style sheet alone: each row carries its place in every column, and the
column that is chosen decides which of them counts.
"""

from __future__ import annotations

from .content import Cell, Table
from .texts import UNDEFINED


def places(table: Table) -> tuple[tuple[int, ...], ...]:
    """Give each row's place in each column, smallest first, [row][column].

    Equal cells share a place; what is undefined comes before all numbers.
    """
    columns = [_column([row[n] for row in table.rows]) for n in range(_width(table))]
    return tuple(zip(*columns, strict=True))


def _width(table: Table) -> int:
    return len(table.columns) if table.rows else 0


def _column(cells: list[Cell]) -> list[int]:
    values = [_value(cell) for cell in cells]
    order = {value: place for place, value in enumerate(sorted(set(values)))}
    return [order[value] for value in values]


def _value(cell: Cell) -> tuple[float, str]:
    if not cell.is_number:
        return 0.0, cell.text.casefold()
    undefined = cell.text == UNDEFINED
    return -1.0 if undefined else float(cell.text.replace(",", "")), ""
