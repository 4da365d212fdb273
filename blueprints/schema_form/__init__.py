"""A form made from a JSON Schema: for the Run dialog's payload and for the answer to a task."""
