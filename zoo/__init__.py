"""A source of FiftyOne's model zoo: Gemini behind `load_zoo_model` and `apply_model`.

FiftyOne copies this folder, so that it finds the engine in the installed package
`fiftyone-gemini`, or in the FiftyOne plugin where that is installed.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

HOMES = ("fiftyone_gemini", "fiftyone.plugins.orgs.gemini.autolabel")


def download_model(model_name: str, model_path: str) -> None:
    """Leave a note where FiftyOne looks for weights: there is nothing to download."""
    Path(model_path).write_text(f"{model_name} is asked over the network.\n", "utf-8")


def load_model(model_name: str, model_path: str, **choices: Any) -> Any:  # noqa: ARG001
    """Give the model; `choices` are task, classes, budget and so on, as for `label`."""
    return _engine().GeminiModel(model=model_name, **choices)


def _engine() -> Any:
    """Find the package that holds the engine; raises ImportError that says what to do."""
    import fiftyone.operators as foo

    for home in HOMES:
        try:
            return import_module(f"{home}.api.model")
        except ModuleNotFoundError as error:
            if not home.startswith(str(error.name)):
                raise
            foo.OperatorRegistry()  # imports the plugins
    raise ImportError("Install it first: `pip install fiftyone-gemini`, or the plugin.")
