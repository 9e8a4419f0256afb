"""What the peers of a pool compute. They import this module, so it imports nothing."""


def compute(number: int) -> int:
    """Compute for a while, the longer the larger `number`."""
    return sum(range(number))
