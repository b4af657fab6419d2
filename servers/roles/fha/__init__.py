from servers.roles.fha.role import FhaRole

__all__ = ["FhaRole"]
