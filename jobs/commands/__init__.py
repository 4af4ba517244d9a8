"""The commands of me-status, one file each."""
