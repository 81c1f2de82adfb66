"""The agent as others meet it: the private socket, HTTP on it, and the port for OpenAI's clients."""
