"""Names the server for `python -m`; a package, so that runpy looks for its `__main__` through the replaced call."""
