"""Raw text to values, pure."""
