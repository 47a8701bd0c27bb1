"""The real server and the real client code over real sockets, files and processes."""
