"""Tokens of a request before it is sent, by the documented rules: estimates, all of them.

`docs/tokens.md` has the formulas with their sources; what is true is what Gemini counts
(`counting`, before a run) or reports (`Usage`, after it).
"""

from __future__ import annotations

import math

from ..values import Frame, Media, Request
from .models import TokenRule, facts

SMALL_SIDE = 384
TILE_SIDES = (256, 768)
CHARACTERS_PER_TOKEN = 4
CONTEXT_TOKENS = 1_048_576
"""What a model reads at most: what a video of unknown length is taken for."""
FRAMES_PER_SECOND = 1.0
"""How densely Gemini looks at a video by itself."""


def prompt_tokens(request: Request) -> int:
    """Estimate the input tokens of one request: its pictures, videos and words."""
    resolution = request.parameters.media_resolution
    media = sum(media_tokens(request.model, m, resolution) for m in request.all_media)
    words = [part for part in request.parts() if isinstance(part, str)]
    return media + text_tokens("".join([request.system, *words]))


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text: one for four characters (Gemini's Tokens page)."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def media_tokens(model: str, media: Media, resolution: str | None = None) -> int:
    """Count the tokens of a picture or of the clip of a video that is asked about."""
    if media.mime_type.startswith("image/"):
        return image_tokens(model, media.sent, resolution)
    clip, end = media.clip, media.clip.end_seconds
    if end is None:
        end = media.seconds
    if end is None:
        return CONTEXT_TOKENS
    seconds = max(0.0, end - (clip.start_seconds or 0.0))
    sound = media.footage is None or media.footage.has_sound
    return video_tokens(model, seconds, clip.fps, resolution, sound=sound)


def image_tokens(model: str, frame: Frame, resolution: str | None = None) -> int:
    """Count the tokens of one picture by the documented rule of its model.

    Gemini 3 and 4: a flat number for each resolution. Gemini 2: flat for `low` and
    `medium`; else 258 when both sides are at most 384, else 258 for each tile whose side
    is two thirds of the shorter side, kept within 256..768.
    """
    rule = facts(model).tokens
    flat = rule.picture.get(resolution or "")
    return flat if flat is not None else _tiled(rule, frame)


def video_tokens(
    model: str,
    seconds: float,
    fps: float | None = None,
    resolution: str | None = None,
    *,
    sound: bool = True,
) -> int:
    """Count the tokens of a video: its frames, and each second of its sound."""
    rule = facts(model).tokens
    frames = math.ceil(seconds * (fps or FRAMES_PER_SECOND))
    heard = math.ceil(seconds) * rule.audio_second if sound else 0
    return frames * rule.frame[resolution or ""] + heard


def _tiled(rule: TokenRule, frame: Frame) -> int:
    """Count the tiles of a picture."""
    if max(frame.width, frame.height) <= SMALL_SIDE:
        return rule.tile
    low, high = TILE_SIDES
    side = min(high, max(low, math.floor(min(frame.width, frame.height) / 1.5)))
    tiles = math.ceil(frame.width / side) * math.ceil(frame.height / side)
    return rule.tile * tiles
