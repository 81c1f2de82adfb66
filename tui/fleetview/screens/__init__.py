"""Whole views and dialogs."""
