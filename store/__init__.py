"""What is kept: accounts, queues and windows, on a disk that may lose power at any moment.

`store.store.Store` is the way in. Only `store/os_disk.py` touches files; `docs/storage.md` shows
every byte of every file and the rules that they obey.
"""
