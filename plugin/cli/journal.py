"""`fiftyone-gemini journal`: check a journal, write it out, take old replies away."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..errors import UsageError
from ..gemini.clearing import delete_uploaded, uploaded
from ..gemini.exchange import export, read_lines, take_in
from ..gemini.upkeep import Group, Health, Selection, count, prune, verify
from ..shards.segments import files_of_replies
from . import options
from .groups import grouped
from .show import console

SHOWN_PROBLEMS = 10
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}

app = typer.Typer(
    name="journal",
    help="Check a journal of replies, write it out, or take old replies away.",
    no_args_is_help=True,
)
File = Annotated[Path, typer.Argument(help="The journal.")]


@app.command("verify")
def verify_journal(file: File) -> None:
    """Read the whole journal: say whether it is sound, and what it holds.

    The exit code is 0 when it is sound and 1 when something is wrong.
    """
    health = verify(file)
    size = file.stat().st_size / 1e6
    console.print(
        f"{file}: {health.replies} replies to {health.requests} requests, {size:.1f} MB"
    )
    if health.replies:
        show_health(health)
    if not health.problems:
        console.print("sound: every reply is as it was received", style="green")
        return
    for problem in health.problems[:SHOWN_PROBLEMS]:
        console.print(f"  {problem}", style="red")
    raise typer.Exit(1)


@app.command("export")
def export_journal(
    file: File,
    out: Annotated[Path, typer.Argument(help="The file to write (JSON lines).")],
) -> None:
    """Write every reply as one line of JSON: key, model, time, and the body as text."""
    console.print(f"{out}: {export(file, out)} replies")


@app.command("import")
def import_replies(
    file: File,
    source: Annotated[
        str,
        typer.Argument(help="What `journal export` wrote, or the --out of `work`."),
    ],
) -> None:
    """Add replies to a journal, so that what they answer is not asked again.

    What is there already is left out, and the newest reply to a question still counts.
    """
    added = sum(
        take_in(file, read_lines(lines, place))
        for place, lines in files_of_replies(source)
    )
    console.print(f"{file}: {added} replies added")


@app.command("prune")
def prune_journal(
    file: File,
    *,
    older_than: Annotated[
        str, typer.Option(help="Only replies older than this: 12h, 30d or 8w.")
    ] = "",
    model: Annotated[str, typer.Option(help="Only replies of this model.")] = "",
    emulated: Annotated[
        bool, typer.Option("--emulated", help="Only replies of the offline emulator.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this it is only said.")
    ] = False,
) -> None:
    """Take replies away that meet every condition, and give back their space.

    What they answered is paid for again when it is asked again.
    """
    before = datetime.now(UTC) - read_age(older_than) if older_than else None
    selection = Selection(before, model, emulated)
    found = count(file, selection)
    listing = ", ".join(f"{number} of {name}" for name, number in found.items())
    console.print(f"{file}: {sum(found.values())} replies to remove  {listing}".strip())
    if not found:
        return
    if not yes:
        raise UsageError("Nothing was removed. Add --yes to remove them for good.")
    console.print(f"{prune(file, selection)} replies removed")


@app.command("files")
@grouped
def show_files(
    file: File,
    *,
    where: options.Where,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete them there, and forget them here.")
    ] = False,
) -> None:
    """List the files that runs on this journal uploaded and that live still.

    They are those of your key; each lives 48 hours by itself.
    """
    endpoint = where.endpoint()
    found = uploaded(file, endpoint)
    for each in found:
        console.print(
            f"{each.name}  {each.bytes:,} bytes  {each.mime_type}  "
            f"until {each.expires:%Y-%m-%d %H:%M} UTC"
        )
    console.print(f"{len(found)} files, {sum(f.bytes for f in found) / 1e6:.1f} MB")
    if delete and found:
        cleared = delete_uploaded(file, endpoint)
        console.print(f"{cleared.deleted} deleted, {cleared.gone} were gone already")


def read_age(text: str) -> timedelta:
    """Read `12h`, `30d` or `8w`; raises `UsageError`."""
    found = re.fullmatch(r"(\d{1,5})([hdw])", text.strip())
    if found is None:
        raise UsageError(f"{text!r} is not an age; write 12h, 30d or 8w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def show_health(health: Health) -> None:
    """Print what a journal holds, by model, origin and what came."""
    rows = Table("model asked", "answered by", "reply", box=None, header_style="dim")
    rows.add_column("number", justify="right")
    order = sorted(health.groups.items(), key=lambda entry: describe(entry[0]))
    for group, number in order:
        rows.add_row(*describe(group), str(number))
    console.print(rows)
    usage = health.usage
    console.print(f"  received {health.oldest} to {health.newest}")
    console.print(
        f"  {usage.prompt:,} tokens in, {usage.output + usage.thoughts:,} out"
    )
    if health.without_sum:
        console.print(
            f"  {health.without_sum} replies of an older program have no sum, "
            "so their bytes cannot be checked."
        )


def describe(group: Group) -> tuple[str, str, str]:
    """Put what replies are counted by into words."""
    who = "emulator" if group.emulated else "Gemini"
    return group.model, who, "text" if group.status is None else group.status.value
