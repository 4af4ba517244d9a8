"""`me-status demo`: the whole job for some scripted days on stand-ins of both sources."""
