"""What runs in the child process of one llama.cpp model.

A package of its own, because starting it is part of every load: importing the backends would bring pydantic and
asyncio along, which takes as long as importing the engine. Only `engine`, `prompt`, `answer`, `grammar` and
`requantise` import llama_cpp.
"""
