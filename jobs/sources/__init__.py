"""The two sources: paging, retry and translation into typed frames."""
