"""The verbs without a screen: text or JSON, and an exit status."""
