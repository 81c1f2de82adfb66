"""What can be done by name: the palette, and the command line of the dashboard."""
