"""What supervisors of all kinds are made of: the restart window, the child record, and the ways to keep children."""
