"""Salesforce's events over the Pub/Sub API: who changed, never what (needs the extra `events`)."""
