"""The Models view, and the dialogs that belong to it."""
