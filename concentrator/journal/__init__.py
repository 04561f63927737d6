"""The one durable store: readings become records here, are numbered once, and are handed to each reader until it has
settled them. Hides the disk, its thread, and everything that can go wrong with either."""
