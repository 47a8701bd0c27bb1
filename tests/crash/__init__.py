"""Every state that a power cut can leave, recovered by the real store and judged."""
