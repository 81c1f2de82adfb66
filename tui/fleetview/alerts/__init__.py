"""Calling the operator: by the rules of the fleet file's `[alerts]`, with a toast, a bell or a command."""
