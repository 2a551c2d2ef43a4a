"""A network for tests: `node.testing.cluster`, and the pytest plugin that gives it as a fixture.

Nothing is imported here: pytest loads the plugin in every project that has Khazana installed.
"""
