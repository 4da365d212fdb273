"""Tables and queries, one file a noun. No Flask, and nothing here commits."""
