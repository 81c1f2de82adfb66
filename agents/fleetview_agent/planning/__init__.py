"""What a change would do before anything happens: who leaves, what it takes, what speaks against it."""
