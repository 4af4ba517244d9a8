"""The answer: the stored bytes out, no rule evaluated."""
