"""The plugin in FiftyOne's plugins folder: is it there, and how it gets there.

A checkout can be linked or downloaded into that folder as it is. An installed package
cannot: it has no folder with a `fiftyone.yml`. So `link_plugin` writes a folder of
three files: the manifest, the icon, and an entry that imports the package.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..errors import SetupError
from .settings import fiftyone_setting

FOLDER = "fiftyone-gemini"
MANIFEST = "fiftyone.yml"
ICON = "assets/icon.svg"
ENTRY = '''"""Written by `fiftyone-gemini doctor --fix`: the plugin is the installed package."""

from fiftyone_gemini import register

__all__ = ["register"]
'''


@dataclass(frozen=True, slots=True)
class Installed:
    """The plugin as found in the plugins folder."""

    path: Path
    current: bool  # false when it was written for another version of the package


def manifest() -> bytes:
    """Read `fiftyone.yml`."""
    return packed(MANIFEST)


def packed(name: str) -> bytes:
    """Read a file of the repository's root: from the wheel, or from the checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "manifest", package.parent):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    raise SetupError(f"{name} is missing: install fiftyone-gemini anew.")


def plugins_folder() -> Path:
    """Name the folder in which FiftyOne looks for plugins."""
    said = fiftyone_setting("plugins_dir", os.environ)
    return Path(said or "~/fiftyone/__plugins__").expanduser()


def installed_plugin(plugins: Path) -> Installed | None:
    """Find this plugin as FiftyOne would, or None where it would find none."""
    wanted = name_in(manifest())
    for path in manifests_below(plugins):
        found = path.read_bytes()
        if name_in(found) == wanted:
            ours = (path.parent / "plugin" / "__init__.py").read_bytes()
            stale = ours == ENTRY.encode() and found != manifest()
            return Installed(path.parent, current=not stale)
    return None


def manifests_below(plugins: Path) -> Iterator[Path]:
    """Walk as FiftyOne does: through links, past hidden folders, no deeper than a find."""
    for folder, below, files in os.walk(plugins, followlinks=True):
        below[:] = [name for name in below if not name.startswith(".")]
        if MANIFEST in files:
            below.clear()
            yield Path(folder) / MANIFEST


def name_in(text: bytes) -> str:
    """Read the plugin's name out of a manifest; "" where there is none."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return ""
    return str(content.get("name", "")) if isinstance(content, dict) else ""


def link_plugin(plugins: Path) -> Path:
    """Write the plugin into a plugins folder, and give that folder back.

    Writing again brings it up to date. Raises SetupError where it cannot be written.
    """
    target = plugins / FOLDER
    if target.is_symlink():
        raise SetupError(f"{target} is a link to something else: remove it first.")
    try:
        (target / "plugin").mkdir(parents=True, exist_ok=True)
        (target / "plugin" / "__init__.py").write_text(ENTRY, "utf-8")
        (target / ICON).parent.mkdir(exist_ok=True)
        (target / ICON).write_bytes(packed(ICON))
        (target / MANIFEST).write_bytes(manifest())  # last: it makes a plugin of it
    except OSError as error:
        raise SetupError(f"The plugin cannot be written to {target}: {error}") from None
    return plugins
