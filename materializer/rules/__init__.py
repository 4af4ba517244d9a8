"""The rules: pure functions of facts and now. No database, no HTTP, no clock."""
