"""The screens of msgc, one module each: keys in, an outcome and a picture out.

No screen does I/O: what it wants it asks of the desk (`msgc.screens.desk`), which the app is.
"""
