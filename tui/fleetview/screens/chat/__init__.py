"""The Chat view, and the dialogs that belong to it."""
