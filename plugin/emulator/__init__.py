"""An offline server that speaks the Gemini REST API; it is not Gemini."""
