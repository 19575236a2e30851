"""COCO files and run-length masks, lossless."""
