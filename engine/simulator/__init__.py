"""Dry runs: the interpreter on a virtual clock, with stubs for the world. Pure."""
