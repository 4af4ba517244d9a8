"""The demo's portal: it knows the public API alone, and is there to be looked at while a customer's state changes."""
