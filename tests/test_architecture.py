"""The layout holds: who imports whom, no cycles, sizes, and docstrings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGIN = Path(__file__).resolve().parents[1] / "plugin"
BASE = {"values", "errors", "version"}
LIBRARY = {
    *BASE,
    *(
        "asking",
        "chunking",
        "coco",
        "evaluation",
        "events",
        "gemini",
        "labels",
        "media",
    ),
    *("parsing", "pipeline", "planning", "progress", "reading", "records"),
    *("report", "rerun"),
    *("shards", "storage", "sweep", "tasks", "templates", "tiling", "filming", "seams"),
    *("settings", "environment", "live", "summaries", "api"),
    "manner",
}
# The table of docs/design.md: what a part may import of the project ...
MAY_IMPORT = {
    "values": set(),
    "errors": set(),
    "version": set(),
    "storage": BASE,
    "media": {"storage", *BASE},
    "parsing": BASE,
    "tasks": {"parsing", *BASE},
    "gemini": {"media", *BASE},
    "records": BASE,
    "labels": {"records", *BASE},
    "coco": {"records", "storage", *BASE},
    "evaluation": {"coco", *BASE},
    "report": {"evaluation", *BASE},
    "emulator": {"values", "errors"},
    "progress": {"gemini", *BASE},
    "templates": BASE,
    "seams": BASE,
    "filming": {"gemini", "media", *BASE},
    "tiling": {"media", "seams", *BASE},
    "manner": {"filming", "parsing", "gemini", *BASE},
    "asking": {
        *(
            "manner",
            "chunking",
            "tasks",
            "parsing",
            "templates",
            "tiling",
            "filming",
            "gemini",
            "media",
        ),
        *BASE,
    },
    "reading": {"tasks", "gemini", *BASE},
    "chunking": {"reading", "tasks", "parsing", "progress", "gemini", *BASE},
    "pipeline": {
        *("asking", "chunking", "reading", "templates", "tiling", "gemini"),
        "progress",
        *BASE,
    },
    "events": {"progress", *BASE},
    "shards": {"asking", "pipeline", "reading", "gemini", "progress", "storage", *BASE},
    "planning": {"asking", "pipeline", "templates", "tiling", "gemini", "media", *BASE},
    "rerun": {"reading", "parsing", "tasks", "gemini", *BASE},
    "sweep": {
        "asking",
        "coco",
        "gemini",
        "pipeline",
        "progress",
        "records",
        "settings",
        "tasks",
        *BASE,
    },
    "doctor": BASE,
    "settings": {"asking", "rerun", "tasks", "gemini", *BASE},
    "environment": {"gemini", *BASE},
    "live": {"progress", *BASE},
    "summaries": {"report", *BASE},
    "api": LIBRARY,
    "app": LIBRARY,
    "cli": {*LIBRARY, "emulator", "doctor"},
    "__init__": {"api", "app", "version"},
    "__main__": {"cli"},
}
# ... and which heavy package has which home.
HOMES = {
    "google": {"gemini"},
    "fiftyone": {"labels", "live", "summaries", "api", "app", "cli"},
    "pycocotools": {"coco", "evaluation"},
    "hotcoco": {"coco", "evaluation"},
    "rapidfuzz": {"evaluation"},
    "scipy": {"evaluation"},
    "PIL": {"media", "parsing", "report", "emulator"},
    "av": {"media", "emulator"},
    "pillow_heif": {"media"},
    "cv2": {"media", "parsing", "report", "emulator", "coco"},
    "jinja2": {"report"},
    "starlette": {"emulator"},
    "hypercorn": {"emulator"},
    "fsspec": {"storage"},
    "pydantic": {"shards", "summaries"},
    "pydantic_core": {"shards"},
    "apache_beam": {"shards"},
    "typer": {"cli"},
    "rich": {"api", "cli"},
}
FILES = sorted(PLUGIN.rglob("*.py"))
SHORT = pytest.mark.parametrize(
    "path", FILES, ids=[str(f.relative_to(PLUGIN)) for f in FILES]
)


def part_of(path: Path) -> str:
    """Name the part a file belongs to: its top folder, or its own stem."""
    relative = path.relative_to(PLUGIN)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def project_imports(path: Path) -> set[str]:
    """Name the parts that a file imports by relative imports."""
    package = path.parent.relative_to(PLUGIN).parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = package[: len(package) - (node.level - 1)]
        target = [*base, *(node.module or "").split(".")] if node.module else [*base]
        names = [target[0]] if target else [alias.name for alias in node.names]
        found.update(name for name in names if name)
    return found - {part_of(path)}


def outside_imports(path: Path) -> set[str]:
    """Name the top-level packages that a file imports absolutely."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found


@SHORT
def test_a_part_imports_only_what_the_table_allows(path: Path) -> None:
    """A file imports only the parts its row of the table names."""
    assert project_imports(path) <= MAY_IMPORT[part_of(path)]


@SHORT
def test_heavy_packages_stay_in_their_homes(path: Path) -> None:
    """A heavy package is imported only by the parts that are its home."""
    strangers = {
        name
        for name in outside_imports(path)
        if name in HOMES and part_of(path) not in HOMES[name]
    }
    assert not strangers


@SHORT
def test_the_package_never_imports_itself_by_name(path: Path) -> None:
    """A file uses relative imports only: FiftyOne loads a second copy of the plugin."""
    assert "fiftyone_gemini" not in outside_imports(path)


def test_modules_import_each_other_without_cycles() -> None:
    """No chain of imports at the top of files leads back to its start."""
    graph = {part_of(f): set[str]() for f in FILES}
    for file in FILES:
        graph[part_of(file)] |= project_imports(file) & graph.keys()
    done: set[str] = set()

    def visit(part: str, trail: tuple[str, ...]) -> None:
        assert part not in trail, " -> ".join([*trail, part])
        if part not in done:
            for target in graph[part]:
                visit(target, (*trail, part))
            done.add(part)

    for part in graph:
        visit(part, ())


@SHORT
def test_files_and_functions_are_small(path: Path) -> None:
    """No file has over 300 lines and no function over 40."""
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > 40
    ]
    assert not long


@SHORT
def test_every_module_says_what_it_is(path: Path) -> None:
    """A module starts with a docstring that tells its place."""
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_every_test_has_a_sentence(root: Path) -> None:
    """A test function says in one sentence which behaviour it holds."""
    mute = [
        f"{file.name}:{node.name}"
        for file in sorted((root / "tests").glob("test_*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not mute
