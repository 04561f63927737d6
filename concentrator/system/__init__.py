"""The box itself: who it is and which devices it has seen."""
