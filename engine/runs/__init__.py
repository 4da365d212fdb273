"""What a run is: statuses, payloads, redaction, replay, queued verdicts. Pure."""
