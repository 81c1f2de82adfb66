"""A node in words: what it is, its figures now and before, its models, engines and processes. Pure."""
