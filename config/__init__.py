"""This process's configuration: settings from the environment and the data files for fields, copy and schedule."""
