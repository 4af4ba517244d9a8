"""What this process was told: settings from the environment and the data files for fields, copy and schedule."""
