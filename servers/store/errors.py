"""What can be wrong with a store; each message is one line that says which file and what to do."""


class StoreError(Exception):
    """The store cannot be used as it is."""


class Locked(StoreError):
    """Another process has the directory."""


class WrongFormat(StoreError):
    """A file of another kind, version or owner."""


class Damaged(StoreError):
    """Records that were durable cannot be read; `offset` is the first one's place in the file."""

    def __init__(self, path: str, offset: int, what: str) -> None:
        super().__init__(f"{path}: {what} at offset {offset}; nothing was loaded (accept the loss explicitly to go on)")
        self.path, self.offset = path, offset
