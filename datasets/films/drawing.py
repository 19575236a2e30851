"""Plain shapes, drawn so that they fill exactly the box that is said of them."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

from .story import FINE, Pen, Story, Thing

Rect = tuple[float, float, float, float]
Colour = tuple[int, int, int]


def draw(story: Story, seconds: float) -> Image.Image:
    """Draw the picture of one moment."""
    size = (story.width * FINE, story.height * FINE)
    image = Image.new("RGB", size)
    pen = ImageDraw.Draw(image)
    story.backdrop(pen, seconds)
    for thing in story.things(seconds):
        x, y, w, h = (side * FINE for side in thing.box_xywh)
        thing.draw(pen, (x, y, x + w - 1, y + h - 1))
    return image.resize((story.width, story.height), Image.Resampling.BOX)


def fill(pen: Pen, rect: Rect, colour: Colour) -> None:
    """Fill a rectangle of the backdrop, given in pixels of the small picture."""
    pen.rectangle([side * FINE for side in rect], fill=colour)


def ball(x: float, y: float, radius: float) -> Thing:
    """Draw a white ball around a point, with a dark patch."""

    def paint(pen: Pen, rect: Rect) -> None:
        pen.ellipse(rect, fill=(245, 245, 240), outline=(30, 30, 30), width=FINE)
        cx, cy, r = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2, radius * FINE / 3
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(40, 40, 40))

    return Thing("ball", (x - radius, y - radius, 2 * radius, 2 * radius), paint)


def player(x: float, y: float, shirt: Colour) -> Thing:
    """Draw a player, whose head is at the top of a box 24 wide and 56 high."""

    def paint(pen: Pen, rect: Rect) -> None:
        x0, y0, x1, y1 = rect
        w, h = x1 - x0, y1 - y0
        pen.ellipse(
            (x0 + w * 0.3, y0, x0 + w * 0.7, y0 + h * 0.2), fill=(224, 172, 130)
        )
        pen.rectangle((x0, y0 + h * 0.2, x1, y0 + h * 0.62), fill=shirt)
        pen.rectangle(
            (x0 + w * 0.1, y0 + h * 0.6, x0 + w * 0.42, y1), fill=(30, 30, 60)
        )
        pen.rectangle(
            (x0 + w * 0.58, y0 + h * 0.6, x1 - w * 0.1, y1), fill=(30, 30, 60)
        )

    return Thing("player", (x, y, 24, 56), paint)


def goal(x: float, y: float, lit: bool) -> Thing:
    """Draw a goal with its net, and a lamp that is lit when it counts."""

    def paint(pen: Pen, rect: Rect) -> None:
        x0, y0, x1, y1 = rect
        for step in range(1, 6):
            across = x0 + (x1 - x0) * step / 6
            down = y0 + (y1 - y0) * step / 6
            pen.line((across, y0, across, y1), fill=(200, 210, 200), width=1)
            pen.line((x0, down, x1, down), fill=(200, 210, 200), width=1)
        pen.rectangle(rect, outline=(250, 250, 250), width=3 * FINE)
        if lit:
            pen.rectangle((x0, y0, x1, y0 + 8 * FINE), fill=(240, 40, 30))

    return Thing("goal", (x, y, 44, 96), paint)


def block(label: str, box: Rect, colour: Colour) -> Thing:
    """Draw a crate: a filled rectangle with a darker edge and a band."""
    dark: Colour = (colour[0] // 2, colour[1] // 2, colour[2] // 2)

    def paint(pen: Pen, rect: Rect) -> None:
        pen.rectangle(rect, fill=colour, outline=dark, width=2 * FINE)
        middle = (rect[1] + rect[3]) / 2
        pen.line((rect[0], middle, rect[2], middle), fill=dark, width=2 * FINE)

    return Thing(label, box, paint)


def lamp(box: Rect, *, lit: bool) -> Thing:
    """Draw a lamp, yellow when it is lit."""
    colour = (255, 225, 70) if lit else (90, 90, 95)

    def paint(pen: Pen, rect: Rect) -> None:
        pen.ellipse(rect, fill=colour, outline=(40, 40, 40), width=2 * FINE)

    return Thing("lamp", box, paint)


def between(t: float, points: list[tuple[float, float, float]]) -> tuple[float, float]:
    """Place something that is at (x, y) at time t, straight from point to point."""
    before = points[0]
    for after in points:
        if t < after[0]:
            share = (t - before[0]) / (after[0] - before[0]) if after != before else 0
            return (
                before[1] + share * (after[1] - before[1]),
                before[2] + share * (after[2] - before[2]),
            )
        before = after
    return before[1], before[2]


Backdrop = Callable[[Pen, float], None]
