"""The way to an agent: connections, requests, streams. Knows no Textual."""
