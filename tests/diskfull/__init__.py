"""The real server on a real filesystem of 16 MiB that fills up."""
