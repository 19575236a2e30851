"""The three videos: a match with sound, a belt at an uneven rate, a turned telephone."""

from __future__ import annotations

from .drawing import ball, between, block, fill, goal, lamp, player
from .story import Event, Line, Pen, Story, Thing

_GOALS = (Event("goal", 3.0, 5.0), Event("goal", 11.0, 13.0))
_MATCH = (
    Event("kick", 1.0, 2.0),
    _GOALS[0],
    Event("kick", 6.0, 7.0),
    Event("miss", 8.0, 9.0),
    Event("kick", 10.2, 10.8),
    _GOALS[1],
)
_WAY = [
    *[(0.0, 70.0, 190.0), (1.4, 70.0, 190.0), (3.0, 270.0, 150.0), (5.0, 270.0, 170.0)],
    *[(5.5, 74.0, 190.0), (6.4, 74.0, 190.0), (8.0, 296.0, 60.0), (9.0, 306.0, 40.0)],
    *[(9.4, 70.0, 190.0), (10.4, 70.0, 190.0), (11.0, 268.0, 130.0)],
    *[(13.0, 268.0, 168.0), (14.0, 200.0, 200.0)],
]
_SAID = (
    Line("speaker 1", "Here comes the kick.", 0.4, 1.8),
    Line("speaker 1", "Goal! What a shot.", 3.0, 4.8),
    Line("speaker 2", "That one goes over the bar.", 7.8, 9.4),
    Line("speaker 1", "And it is two to nothing.", 11.0, 13.0),
)


def _pitch(pen: Pen, seconds: float) -> None:
    """Paint grass in stripes, with a sky and a clock that runs along its top."""
    fill(pen, (0, 0, 320, 100), (126, 178, 222))
    for stripe in range(8):
        green = (58, 140 + 14 * (stripe % 2), 62)
        fill(pen, (stripe * 40, 100, stripe * 40 + 40, 240), green)
    fill(pen, (0, 0, 320 * seconds / 14, 4), (250, 250, 250))


def _players(seconds: float) -> list[Thing]:
    """Place the players, the goal and the ball."""
    x, y = between(seconds, _WAY)
    lit = any(e.start <= seconds < e.end for e in _GOALS)
    run = between(
        seconds, [(0, 34, 130), (1.4, 42, 130), (5.5, 30, 132), (14, 44, 130)]
    )
    keeper = between(
        seconds, [(0, 236, 118), (3, 240, 100), (8, 238, 124), (14, 234, 110)]
    )
    return [
        goal(262, 88, lit),
        player(*run, (210, 40, 40)),
        player(*keeper, (40, 70, 200)),
        ball(x, y, 8),
    ]


_CRATES = (
    ("red crate", 0.5, 4.5, (196, 58, 50)),
    ("blue crate", 3.0, 7.0, (56, 92, 190)),
    ("red crate", 6.5, 10.5, (196, 58, 50)),
)
_UNEVEN = (0.04, 0.04, 0.12, 0.2, 0.08, 0.32, 0.04, 0.16, 0.28)


def _uneven_times(seconds: float) -> tuple[float, ...]:
    """Give the times of frames that follow each other at uneven steps."""
    times, at = [0.0], 0.0
    while (at := round(at + _UNEVEN[len(times) % len(_UNEVEN)], 3)) < seconds:
        times.append(at)
    return tuple(times)


def _factory(pen: Pen, seconds: float) -> None:
    """Paint a wall and a belt whose marks run along."""
    fill(pen, (0, 0, 256, 192), (168, 172, 176))
    fill(pen, (0, 132, 256, 160), (60, 62, 66))
    for mark in range(-1, 9):
        x = mark * 32 + (seconds * 64) % 32
        fill(pen, (x, 140, x + 10, 146), (150, 150, 60))


def _crates(seconds: float) -> list[Thing]:
    """Place the crates that are on the belt, as far as they are in the picture."""
    found = []
    for label, start, end, colour in _CRATES:
        if start <= seconds < end:
            left = -48 + (256 + 48) * (seconds - start) / (end - start)
            x0, x1 = max(0.0, left), min(256.0, left + 48)
            if x1 - x0 >= 2:
                found.append(block(label, (x0, 92, x1 - x0, 40), colour))
    return found


def _room(pen: Pen, seconds: float) -> None:
    """Paint a room that gets lighter with the lamp."""
    lit = 2.0 <= seconds < 4.5
    fill(pen, (0, 0, 180, 320), (228, 212, 180) if lit else (92, 84, 80))
    fill(pen, (0, 250, 180, 320), (120, 84, 56))
    fill(pen, (10, 300, 10 + 160 * seconds / 6, 306), (200, 200, 200))


def _lamp_and_parcel(seconds: float) -> list[Thing]:
    """Place the lamp, and a parcel that is pushed across the floor."""
    x, y = between(seconds, [(0, 16, 214), (1, 16, 214), (5, 112, 214), (6, 112, 214)])
    return [
        lamp((66, 40, 48, 48), lit=2.0 <= seconds < 4.5),
        block("parcel", (x, y, 52, 36), (150, 110, 60)),
    ]


STORIES = (
    Story(
        name="match.mp4",
        width=320,
        height=240,
        times=tuple(n / 12.5 for n in range(175)),
        seconds=14.0,
        caption="Two players kick a ball at a goal, and score twice.",
        backdrop=_pitch,
        things=_players,
        events=_MATCH,
        lines=_SAID,
    ),
    Story(
        name="belt.mp4",
        width=256,
        height=192,
        times=_uneven_times(12.0),
        seconds=12.0,
        caption="Crates pass by on a conveyor belt.",
        backdrop=_factory,
        things=_crates,
        events=tuple(Event(f"{c[0]} passes", c[1], c[2]) for c in _CRATES),
    ),
    Story(
        name="phone.mov",
        width=180,
        height=320,
        times=tuple(n * 1001 / 24000 for n in range(144)),
        seconds=6.006,
        caption="A lamp is switched on in a room while a parcel is pushed across it.",
        backdrop=_room,
        things=_lamp_and_parcel,
        events=(Event("lamp is on", 2.0, 4.5), Event("parcel moves", 1.0, 5.0)),
        turned=True,
    ),
)
