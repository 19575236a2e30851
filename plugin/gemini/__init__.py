"""HOW to ask: the only home of google.genai."""
