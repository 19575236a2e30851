"""Short videos with exact truth: events, what is where in each frame, what is said."""

from .stories import STORIES
from .story import Event, Line, Story, Thing

__all__ = ["STORIES", "Event", "Line", "Story", "Thing"]
