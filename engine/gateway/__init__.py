"""How the rest of the program talks to Temporal: synchronously, with time limits, one client."""
