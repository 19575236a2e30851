"""Write the demo videos: `python -m datasets.make_videos [folder]`."""

import argparse
from pathlib import Path

from .films import STORIES
from .films.encode import write_film
from .films.truth import write_truth

VIDEO_FOLDER = Path(__file__).parent / "videos"


def main() -> None:
    """Draw the videos and write them with their truth."""
    parser = argparse.ArgumentParser(description="Draw and write the demo videos.")
    parser.add_argument("folder", type=Path, nargs="?", default=VIDEO_FOLDER)
    folder: Path = parser.parse_args().folder
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for story in STORIES:
        path = folder / "data" / story.name
        write_film(story, path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    write_truth(STORIES, folder)


if __name__ == "__main__":
    main()
