"""What `make` runs: setting up, starting, testing. Nothing of the product imports it."""
