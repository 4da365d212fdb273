"""What runs inside Temporal's sandbox: the workflow, and the host that serves the interpreter."""
