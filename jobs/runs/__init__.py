"""One execution of a job: its ledger row, what it does, and the workers it uses."""
