"""What a verb asks of rows, one or many, before anybody has agreed to it, and what has come of it. Pure."""
