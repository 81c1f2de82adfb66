"""The table of nodes: its columns, the order of its rows, and which of them are shown. Pure."""
