"""One revision per file of sql/schema/; the schema only moves forward."""
