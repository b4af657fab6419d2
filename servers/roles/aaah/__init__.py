from servers.roles.aaah.role import AaahRole

__all__ = ["AaahRole"]
