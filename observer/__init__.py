"""The terminal observer: a Textual dashboard and a command that watch a node from another process."""
