"""WHAT to ask: one file a task (prompt, response schema, reader)."""
