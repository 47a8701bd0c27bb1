"""Fuzzing: any bytes, handed to whatever reads bytes that others wrote. See scripts/fuzz.sh."""
