"""The version of the project, stated once."""

__version__ = "0.1.0"
