"""Chats in words: the lines around them, the figures of an answer, and lists of chats. Pure."""
