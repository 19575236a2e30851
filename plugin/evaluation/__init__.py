"""Values against values: how good are the labels."""
