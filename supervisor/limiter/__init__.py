"""What each key allows and who gets it: windows, keys, fairness, tokens, journal."""
