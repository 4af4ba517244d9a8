"""The last known rows of each stream: compared with a pull, changed, and what the changes mean."""
