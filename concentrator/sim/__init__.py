"""A simulated field, pure: what meters measure, say and do to the wire. Time is always an argument; the process that
gives it a pseudo-terminal and a clock is `app.simulate`."""
