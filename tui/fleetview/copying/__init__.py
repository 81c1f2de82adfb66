"""Models on their way from one node to others, through this program's own connections."""
