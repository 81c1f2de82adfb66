"""What is said to models and what they answer, whether a screen shows it or not. Knows no widget."""
