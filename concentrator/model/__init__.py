"""Values and errors: what the house talks about, without any input or output."""
