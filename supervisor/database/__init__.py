"""The one process that opens the SQLite files: claim, finish, enqueue, group commit."""
