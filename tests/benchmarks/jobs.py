"""What the peers of a pool compute. They import this module, so it imports nothing."""


def compute(number: int) -> int:
    """Compute for a while, the longer the larger `number`."""
    return sum(range(number))


def serve() -> None:
    """Do as many jobs as each line of the input says, and say how much processor time they took."""
    import sys
    import time

    for line in sys.stdin:
        number, count = map(int, line.split())
        began = time.process_time()
        for _ in range(count):
            compute(number)
        print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    serve()
