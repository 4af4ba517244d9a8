"""Loopback stand-ins for Salesforce and WHMCS that speak the real protocols, for the demo and the tests."""
