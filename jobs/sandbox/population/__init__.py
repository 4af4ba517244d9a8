"""The made-up customers of the sandbox."""

from jobs.sandbox.population.customers import Population

__all__ = ["Population"]
