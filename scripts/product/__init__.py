"""What `make run` does: prepare, start, keep running, and end Temporal, the worker and the web."""
