"""What is drawn on terminals, shared by the server's panel and the client: values in, cells out.

`safe` is the only way from foreign text to a screen, `picture` is a screen as a value, `keys` and
`decoder` are what a person pressed, `curses_console` is the one place where it meets a terminal.
Must never know what a message or an account is, and imports nothing of ours.
"""
