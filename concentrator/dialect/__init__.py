"""How each protocol reads what a profile describes."""
