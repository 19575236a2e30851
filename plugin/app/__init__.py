"""FiftyOne operators: read the form, call the pipeline, show the result."""
