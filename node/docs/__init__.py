"""The reference documentation: pages written by hand, and those that the code itself writes.

Built by `make docs` (Sphinx, furo, MyST). The rooms' READMEs and docstrings are part of it where
they stand; nothing is copied.
"""
