"""Status documents and notifications: computed of facts, stored, sent."""
