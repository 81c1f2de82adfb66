"""Conversations with models: what they are, where they are kept, and how they leave the program."""
