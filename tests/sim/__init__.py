"""Simulated disk, clock and network: everything from one seed."""
