"""A stand-in for the API that counts for itself; shares no code with the limiter."""
