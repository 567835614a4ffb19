"""Jobs: recorded bodies and scripted answers through the real parser into a real SQLite."""
