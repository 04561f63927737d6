"""Assembly and the command line: the only place that knows concrete classes, the reactor and the clocks."""
