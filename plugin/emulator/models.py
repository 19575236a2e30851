"""The models the emulator answers as, under their real names."""

from __future__ import annotations

from dataclasses import dataclass

from ..values import JsonValue, MaskShape

LEVELS = frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"})


@dataclass(frozen=True, slots=True)
class EmulatedModel:
    """A model name, and how the emulator looks when asked under it.

    `long_side` is the size in pixels at which it looks; `thinking_levels` are those the
    real model accepts (none: it takes a budget instead).
    """

    name: str
    long_side: int
    mask_shape: MaskShape
    thinking_levels: frozenset[str]

    @property
    def tiled(self) -> bool:
        """Whether pictures are counted by the 258-token tiles of Gemini 2.x."""
        return not self.thinking_levels

    def card(self) -> dict[str, JsonValue]:
        """Describe the model as `models.get` does."""
        return {
            "name": f"models/{self.name}",
            "version": f"emulator-{self.long_side}",
            "displayName": f"Emulator (not Gemini) for {self.name}",
            "description": "fiftyone-gemini's emulator: a small classical segmenter for "
            f"rendered table-top scenes, {self.long_side} px. Not a Google model.",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": [
                *("generateContent", "countTokens", "batchGenerateContent")
            ],
        }


_MODELS = (
    EmulatedModel(
        "gemini-3.8-flash", 320, MaskShape.POLYGON, frozenset({"LOW", "MEDIUM", "HIGH"})
    ),
    EmulatedModel(
        "gemini-3.6-flash", 256, MaskShape.POLYGON, LEVELS - frozenset({"XHIGH"})
    ),
    EmulatedModel(
        "gemini-3.5-flash-lite", 224, MaskShape.POLYGON, LEVELS - frozenset({"XHIGH"})
    ),
    EmulatedModel("gemini-2.5-flash", 320, MaskShape.PNG, frozenset()),
)
MODELS = {model.name: model for model in _MODELS}
