"""What each key allows, and who gets it."""
