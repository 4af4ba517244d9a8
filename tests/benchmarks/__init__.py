"""me-status measured against what people would use instead: `python -m tests.benchmarks`. CI asserts no seconds."""
