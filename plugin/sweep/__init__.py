"""Many runs over the same samples, from one YAML file: which question is worth asking.

YAML --grid--> Grid (cells) --cells--> a run for each, resumed where it stopped -->
labels and records that `evaluation.compare` holds against each other
"""

from .cells import CellRun, Sweep, run_sweep
from .files import sink_for
from .grid import Cell, Grid, read_grid

__all__ = [
    "Cell",
    "CellRun",
    "Grid",
    "Sweep",
    "read_grid",
    "run_sweep",
    "sink_for",
]
