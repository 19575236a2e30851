"""Damage replies at random for as long as you like: `python tests/fuzz/replies.py 600`.

Takes seconds and, to repeat a run, a seed. Seeds are the real replies beside the
repository where there are any, and a few written ones. It stops at the first text that
raises, invents, loses an item before a cut or takes over a second, and prints it.
"""

from __future__ import annotations

import json
import random
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from reply_checks import NESTS, SPLICES, check_cut, check_text, edited  # noqa: E402

TV = (
    '```json\n[{"box_2d": [1, 2, 300, 400], "label": "cup"},\n'
    '{"box_2d": [50.5, 60, 700, 800], "label": "14\\" tv {a} ]"}]\n```\nThat is all.'
)
OUTLINE = (
    '{"boxes": [{"box_2d": [1, 2, 900, 940], "label": "a", '
    '"mask": [[2, 1], [940, 1], [940, 900]], "confidence": 0.5}]}'
)
WRITTEN = [
    TV,
    OUTLINE,
    '[{"point": [376, 508], "label": "banana"}]',
    "[{'box_2d': [39, 39, 960, 960], 'mask': '<start_of_mask><seg_6>', 'label': 'x'}]",
    '{"trajectory": [[0.15, 0.4], [0.18, 0.45]], "label": "path"}',
]


def stored_replies() -> list[str]:
    """Give the texts of the real replies, where they are."""
    folder = ROOT.parent / "shared" / "replies"
    kinds = ("detect", "segment", "point", "ocr-boxes", "code-exec")
    files = [file for kind in kinds for file in sorted((folder / kind).glob("*.json"))]
    return [json.loads(file.read_text())["raw_text"] for file in files]


def damaged(chance: random.Random, texts: list[str]) -> str:
    """Take a reply, nest it now and then, and edit it in a few places."""
    text = chance.choice(texts)
    if chance.random() < 0.2:
        text = chance.choice(NESTS).replace("{}", text)
    if chance.random() < 0.1:
        text += chance.choice(texts)
    edits = [
        (chance.random(), chance.choice([0, 0, 1, 2, 30]), chance.choice(SPLICES))
        for _ in range(chance.randint(0, 6))
    ]
    return edited(text, edits)


def main(seconds: float, seed: int) -> int:
    """Damage and check until the time is over; 1 and the text when a check fails."""
    chance, texts = random.Random(seed), WRITTEN + stored_replies()
    sound = [text for text in texts if '"box_2d"' in text]
    print(f"{len(texts)} seeds, seed {seed}")
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        text, whole = damaged(chance, texts), chance.choice(sound)
        at = chance.randint(0, len(whole))
        begun = time.process_time()
        try:
            check_text(text)
            check_cut(whole, at)
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            print(f"after {tried} texts: {text!r}\nor, cut at {at}: {whole!r}")
            return 1
        if time.process_time() - begun > 1:
            print(f"slow: {text!r}")
            return 1
        tried += 1
    print(f"{tried} texts, nothing found")
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    raise SystemExit(
        main(
            float(given[0]) if given else 60,
            int(given[1]) if len(given) > 1 else random.randrange(10**6),
        )
    )
