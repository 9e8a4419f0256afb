"""The other end of the socket: finding nodes, starting programs, asking questions.

May import `observer.text`; never Textual.
"""
