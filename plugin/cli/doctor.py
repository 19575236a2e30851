"""`fiftyone-gemini doctor`: check what the machine needs, explain and repair it."""

from __future__ import annotations

from typing import Annotated

import typer

from ..doctor.checks import run_checks
from .show import console


def examine(
    *,
    fix: Annotated[bool, typer.Option(help="Repair what can be repaired.")] = False,
) -> None:
    """Check Python, packages, MongoDB, the key and the plugin; say what to do."""
    checks = run_checks(fix=fix)
    for check in checks:
        mark, style = ("ok  ", "green") if check.ok else ("FAIL", "red")
        console.print(mark, style=style, end=" ")
        console.print(f"{check.name}: {check.detail}")
        if check.advice and not check.ok:
            console.print(f"     {check.advice}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
