"""Ways out of the box: how recorded intervals and events reach the servers of others."""
