"""Who answers: one that looks at pixels, or one that reads the truth from a file."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock

from .answer import NO_TRUTH
from .films import Films, read_films
from .noise import spoil
from .pictures import PictureIndex, pictures_in
from .settings import Settings
from .sight import Pixels, Sight, Viewer
from .truth_file import TruthImage, read_truth

REMEMBERED = 256


@dataclass(slots=True)
class TruthViewer:
    """Answers from a truth file, spoiled by noise; refuses pictures it does not hold."""

    images: dict[str, TruthImage]
    labels: tuple[str, ...]
    index: PictureIndex
    noise: float
    seed: int
    films: Films = field(default_factory=Films)
    refusal: str = NO_TRUTH

    def view(self, pixels: Pixels, long_side: int) -> Sight | None:
        """Find the picture in the file; `long_side` makes no difference to the truth."""
        del long_side
        name = self.index.find(pixels)
        image = self.images[name] if name else self.films.still(pixels)
        if image is None:
            return None
        labels = self.labels if name else self.films.labels
        return spoil(image, labels, self.noise, self.seed)


@dataclass(slots=True)
class Remembering:
    """Looks at each picture once, also when asked twice at the same time."""

    viewer: Viewer
    _lock: Lock = field(default_factory=Lock)
    _sights: OrderedDict[tuple[str, int], Future[Sight | None]] = field(
        default_factory=OrderedDict
    )

    @property
    def refusal(self) -> str:
        """What the viewer says when it cannot judge a picture."""
        return self.viewer.refusal

    def view(self, pixels: Pixels, long_side: int) -> Sight | None:
        """Look at a picture, or wait for and return what was seen before."""
        shape = str(pixels.shape).encode()
        key = (sha256(shape + pixels.tobytes()).hexdigest(), long_side)
        with self._lock:
            future = self._sights.get(key)
            mine = future is None
            if future is None:
                future = self._sights[key] = Future()
            self._sights.move_to_end(key)
            if len(self._sights) > REMEMBERED:
                self._sights.popitem(last=False)
        if mine:
            try:
                future.set_result(self.viewer.view(pixels, long_side))
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()


def find_viewer(settings: Settings) -> Viewer:
    """Make the one who answers; raise EmulatorError when the files do not fit."""
    if not settings.truth:
        from .pixel_viewer import PixelViewer

        return Remembering(PixelViewer.load())
    images, labels = read_truth(Path(settings.truth))
    folder = settings.image_folder or Path()
    return TruthViewer(
        films=read_films(Path(settings.truth), folder),
        images={image.name: image for image in images},
        labels=labels,
        index=_index(settings, [image.name for image in images]),
        noise=settings.noise,
        seed=settings.seed,
    )


def find_films(viewer: Viewer) -> Films:
    """Give the videos that are known: those of the truth."""
    return viewer.films if isinstance(viewer, TruthViewer) else Films()


def find_index(settings: Settings, viewer: Viewer) -> PictureIndex:
    """Give names to pictures: those of the truth, or all in the folder `images`."""
    if isinstance(viewer, TruthViewer):
        return viewer.index
    folder = settings.image_folder
    return _index(settings, pictures_in(folder) if folder else [])


def _index(settings: Settings, names: list[str]) -> PictureIndex:
    """Index the pictures of a given name in the folder of the settings."""
    return PictureIndex(settings.image_folder or Path(), names)
