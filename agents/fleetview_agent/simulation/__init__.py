"""Whole machines that are made up, each with a real agent: for demonstrations, pictures and measurements."""
