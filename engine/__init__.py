"""Everything of Run Studio that is not HTTP. The map and the import rule are in README.md."""
