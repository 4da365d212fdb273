"""The publish checks, one file an idea. Each reports all it finds and never raises."""
