"""Measurements beside named peers, in one run. Results are printed with their ratios and spread, never asserted."""
