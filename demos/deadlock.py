"""Two servers that wait for each other, each in the middle of a call.

Each of two accounts moves money by calling the other one. When both are asked at the same time, each waits for a reply
that the other can only send when it has its own. Alone, ``python -m demos.deadlock`` runs into it with a timeout and
prints the outcome. In the observer there is no timeout:

- ``savings`` and ``cheque`` wait, their mailboxes hold a request each, nothing is busy, and nothing happens any more.
  The finding ``deadlock`` names the two; ``enter`` on one of them shows which process it waits for.
- Press ``x`` on one of them: the other one's call fails, both are started again, and for ten seconds all is well.
- What cures it: let a third process, which neither of them calls, take from one and give to the other. A timeout (five
  seconds by default) turns the silence into a crash with a reason.
"""

from __future__ import annotations

from contextlib import suppress

from demos._stage import named, play
from runtime import (
    CallError,
    ChildSpec,
    From,
    GenServer,
    Pid,
    Supervisor,
    call,
    receive,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
)

PEACE = 10.0
"""Seconds after which both accounts are asked at the same time."""

CARE = 0.3
"""Seconds that an account takes over a move before it asks the other one: those who ask are never quite in step."""

OTHER = {"savings": "cheque", "cheque": "savings"}


class Account(GenServer):
    """Holds an amount, and moves some of it to other accounts."""

    def init(self, timeout: float | None = None) -> None:
        """Begin with 100; `timeout` is for calls to other accounts."""
        self.amount = 100
        self.timeout = timeout

    def handle_call(self, request: tuple[str, int, str], caller: From) -> object:
        """Take money in, or move it to another account; the reply is what is here afterwards."""
        match request:
            case ("deposit", amount, _):
                self.amount += amount
            case ("move", amount, to):
                sleep(CARE)
                call(to, ("deposit", amount, to), self.timeout)
                self.amount -= amount
            case _:
                return super().handle_call(request, caller)
        return self.amount


def customer(account: str) -> None:
    """Move money from one account to the other, again and again, both customers at the same time."""
    while True:
        sleep(PEACE)
        with suppress(CallError):  # when the account dies meanwhile, there will be another one
            call(account, ("move", 10, OTHER[account]), None)


def start_customer(account: str) -> Pid:
    """Start a customer of an account."""
    return spawn_link(customer, account, label=f"customer of {account}")


def tree() -> Pid | None:
    """Start two accounts and a customer of each."""
    accounts = [named(Account, name) for name in OTHER]
    customers = [ChildSpec(id=f"customer of {name}", start=(start_customer, name)) for name in OTHER]
    return Supervisor.start_link([*accounts, *customers], name="bank")


def session() -> None:
    """Have money moved both ways at once, with a timeout of a tenth of a second, and print the outcome."""
    Supervisor.start_link([named(Account, name, 0.1) for name in OTHER], name="bank")
    main = self_()

    def move(account: str) -> None:
        try:
            call(account, ("move", 10, OTHER[account]), None)
            send(main, (account, "done"))
        except CallError:
            send(main, (account, "failed"))

    for account in OTHER:
        spawn(move, account)
    for account in OTHER:
        print(f"move from {account} to {OTHER[account]}: {receive((account, str))[1]}")


if __name__ == "__main__":
    play(session, tree)
