"""When it happens, and from where: the commands, the schedule, the sources."""
