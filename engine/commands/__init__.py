"""The command line: one group a file, each command calls a service (design.md 5)."""
