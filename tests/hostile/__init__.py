"""Hostile clients beside honest ones, against a real server: `scripts/hostile.sh`.

Must never reach another machine than this one. Fails as `hostile` says.
"""
