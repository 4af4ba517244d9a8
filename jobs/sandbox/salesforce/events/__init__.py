"""A stand-in of Salesforce's Pub/Sub API: topics, Avro schemas, and streams over TLS on loopback."""
