"""How large one store may get: memory, start-up, turns, bytes written; on a real disk."""
