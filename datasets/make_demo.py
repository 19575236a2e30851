"""Write the demo set: `python -m datasets.make_demo [folder]`."""

import argparse
import multiprocessing
from pathlib import Path

from .scenes import Scene, render_scene
from .scenes.coco import write_coco
from .training_scenes import DEMO_SEEDS

DEMO_FOLDER = Path(__file__).parent / "demo"
_COUNT = 24
_SIZES = ((640, 480), (640, 480), (640, 480), (480, 640), (640, 480), (800, 450))


def sized_scene(seed: int, index: int) -> Scene:
    """Render a scene at the size that the demo set has at that index."""
    return render_scene(seed, *_SIZES[index % len(_SIZES)])


def demo_scene(index: int) -> Scene:
    """Render scene 0..23 of the demo set."""
    return sized_scene(DEMO_SEEDS + index, index)


def main() -> None:
    """Render the 24 scenes and write them with their annotations."""
    parser = argparse.ArgumentParser(description="Render and write the demo set.")
    parser.add_argument("folder", type=Path, nargs="?", default=DEMO_FOLDER)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    with multiprocessing.Pool(options.processes) as pool:
        scenes = pool.map(demo_scene, range(_COUNT), chunksize=1)
    write_coco(scenes, options.folder)
    objects = sum(len(scene.objects) for scene in scenes)
    print(f"{len(scenes)} scenes with {objects} objects in {options.folder}")


if __name__ == "__main__":
    main()
