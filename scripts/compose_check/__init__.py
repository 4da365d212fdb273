"""`scripts/compose-check`: docker-compose.ee.yaml, held to its promise by a real Docker.

Standard library only: it runs before anything is installed.
"""
