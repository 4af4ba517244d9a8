"""What the state means: snapshot in, transitions, notifications and status documents out."""
