"""The transparent M-Bus gateway: a TCP port that is a line's raw wire for one client at a time."""
