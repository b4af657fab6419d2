"""What is wrong with what the operator gave us."""


class ConfigurationError(Exception):
    """A file, key or address that cannot be used; the message is one line fit to be shown as it is."""
