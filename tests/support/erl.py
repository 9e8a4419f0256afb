"""Real BEAM nodes for tests: one that reads and writes terms, and ones that speak the distribution protocol."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

needs_erl = pytest.mark.skipif(shutil.which("erl") is None, reason="erl is not installed; Debian has it in erlang-base")

_TERMS = """
    Port = open_port({fd, 0, 1}, [binary, {packet, 4}, eof]),
    Serve = fun Serve() ->
        receive
            {Port, {data, <<Kind, Rest/binary>>}} ->
                Answer = try
                    case Kind of
                        $b -> term_to_binary(binary_to_term(Rest));
                        $o -> term_to_binary(binary_to_term(Rest), [{minor_version, 0}]);
                        $c -> term_to_binary(binary_to_term(Rest), [compressed]);
                        $e ->
                            {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Rest)),
                            {ok, Exprs} = erl_parse:parse_exprs(Tokens),
                            {value, Value, _} = erl_eval:exprs(Exprs, []),
                            put(kept, Value),
                            term_to_binary(Value);
                        $s -> term_to_binary(binary_to_term(Rest) =:= get(kept))
                    end of Good -> <<$y, Good/binary>>
                catch _:Why -> <<$n, (iolist_to_binary(io_lib:format("~0p", [Why])))/binary>> end,
                port_command(Port, Answer),
                Serve();
            {Port, eof} -> halt()
        end
    end,
    Serve().
"""


class Refused(Exception):
    """Erlang could not read the bytes."""


class ErlangTerms:
    """An Erlang that reads and writes terms. Use it in a ``with``."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["erl", "-noshell", "-noinput", "-eval", _TERMS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, kind: bytes, data: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write((len(data) + 1).to_bytes(4, "big") + kind + data)
        self._process.stdin.flush()
        size = int.from_bytes(self._process.stdout.read(4), "big")
        answer = self._process.stdout.read(size)
        if answer[:1] != b"y":
            raise Refused(answer[1:].decode())
        return answer[1:]

    def there_and_back(self, data: bytes, how: bytes = b"b") -> bytes:
        """Return what Erlang writes for the term that it reads: ``b``, in the old way ``o``, or compressed ``c``."""
        return self._ask(how, data)

    def evaluate(self, expression: str) -> bytes:
        """Return the term that an expression ending in a full stop gives; it is kept for `is_same`."""
        return self._ask(b"e", expression.encode())

    def is_same(self, data: bytes) -> bool:
        """Whether `data` is exactly the term that was evaluated last."""
        return b"true" in self._ask(b"s", data)


@contextlib.contextmanager
def beam_node(
    name: str, cookie: str, code: str, epmd_port: int, home: Path, flags: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Run a BEAM node that evaluates `code`; its output can be read line by line."""
    environment = {**os.environ, "ERL_EPMD_PORT": str(epmd_port), "HOME": str(home)}
    kind = "-name" if "." in name else "-sname"
    command = ["erl", "-noshell", "-noinput", "-start_epmd", "false", kind, name, "-setcookie", cookie, *flags]
    process = subprocess.Popen(
        [*command, "-kernel", "logger_level", "none", "-eval", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
