"""Runs a compiled plan against a Host. May do no I/O, read no clock, make no id."""
