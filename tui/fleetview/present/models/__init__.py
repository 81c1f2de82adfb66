"""Models in words: the matrix of models and nodes, and where one fits. Pure."""
