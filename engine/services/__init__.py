"""Use cases, one file each. The only code that commits."""
