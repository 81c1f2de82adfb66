"""Files of models on their way between nodes."""
