"""What an action step can call: the registry, and one file an action."""
