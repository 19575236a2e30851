"""Scores to one self-contained HTML file, Markdown and JSON."""
