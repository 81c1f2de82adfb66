"""Changes of the node: one at a time, phase by phase, and back again."""
