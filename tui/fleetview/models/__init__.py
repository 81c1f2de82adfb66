"""Which models the fleet has, which of them can be loaded or asked where, and where one fits. Pure."""
