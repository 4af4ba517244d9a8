"""The schema's history for Alembic; every step runs one file of sql/schema/."""
