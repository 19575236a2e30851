"""Rendered scenes with exact truth: the generator, the demo set and the training of the emulator's segmenter."""
