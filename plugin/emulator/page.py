"""The page a person sees who opens the emulator in a browser."""

from __future__ import annotations

from html import escape

from .models import MODELS
from .settings import Settings

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Emulator, not Gemini</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto;
       padding: 0 1rem; color: #222; background: #fff; }}
code {{ background: #f2f2f2; padding: .1em .3em; border-radius: 3px; }}
.not {{ border-left: 4px solid #b45309; padding: .5rem 1rem; background: #fffbeb; }}
</style>
<h1>fiftyone-gemini emulator</h1>
<p class="not"><strong>This is not Gemini</strong> and not made by Google. It is a small
offline server that speaks the Gemini REST API, so that labelling can be tried and tested
without a key, without a network and without cost.</p>
<p>{source}</p>
<h2>What it answers</h2>
<ul>
<li><code>generateContent</code>, <code>streamGenerateContent</code>,
<code>countTokens</code>, models list and get, under any version prefix</li>
<li>Files (resumable upload) and batches, on both APIs' paths; <code>gs://</code> out of a
folder</li>
<li>Detection (boxes) and segmentation (masks) of one picture a request</li>
<li>Models: {models}</li>
</ul>
<p>Everything else, and every picture outside its small world, it refuses in words.
What it was asked: <a href="/emulator/log">request log</a>.</p>
</html>
"""
_LOOKS = (
    "It looks at the pixels with a small classical segmenter that knows only rendered "
    "table-top scenes."
)
_READS = (
    "It does not look at pictures: it answers from the ground truth file "
    "<code>{truth}</code>, with noise {noise:g}."
)


def front_page(settings: Settings) -> str:
    """Write the page; it says before all else that this is not Gemini."""
    source = _LOOKS
    if settings.truth:
        source = _READS.format(truth=escape(settings.truth), noise=settings.noise)
    models = ", ".join(f"<code>{name}</code>" for name in MODELS)
    return _PAGE.format(source=source, models=models)
