"""What outlives the agent: its journal, what loads have taught, what should run."""
