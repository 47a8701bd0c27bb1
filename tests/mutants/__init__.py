"""Patches that each break one rule of the store, to prove that the proofs see it."""
