"""What is wrong with what the user typed."""
from servers.errors import ConfigurationError


class UsageError(ConfigurationError):
    """An option or target that cannot be used; the message is one line fit to be shown as it is."""
