"""`python -m fiftyone_gemini`: the command line."""

from .cli import main

main()
