"""The FiftyOne side without user interface: read samples, write labels."""
