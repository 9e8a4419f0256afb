"""A wrong option is told where it is given, and the node stays without a name."""

from __future__ import annotations

import pytest

from runtime import node, start_distribution
from tests.support.in_node import in_node

SECONDS = "net_ticktime= takes a number of seconds above 0, at most 1000000"


@pytest.mark.parametrize(
    ("option", "value", "kind", "told"),
    [
        ("trust", "term", ValueError, "trust= takes 'pickle' or 'terms', not 'term'"),
        ("trust", None, ValueError, "trust= takes 'pickle' or 'terms', not None"),
        ("trust", ["terms"], ValueError, "trust= takes 'pickle' or 'terms', not ['terms']"),
        (
            "allow",
            "os:getcwd",
            TypeError,
            "allow= takes a tuple of functions such as ('shop:prices',), not 'os:getcwd'",
        ),
        ("allow", ["getcwd"], ValueError, "allow= takes functions as 'module:function', not 'getcwd'"),
        ("allow", [len], ValueError, "allow= takes functions as 'module:function', not <built-in function len>"),
        ("net_ticktime", 0, ValueError, f"{SECONDS}, not 0"),
        ("net_ticktime", float("inf"), ValueError, f"{SECONDS}, not inf"),
        ("net_ticktime", float("nan"), ValueError, f"{SECONDS}, not nan"),
        ("net_ticktime", 1_000_001, ValueError, f"{SECONDS}, not 1000001"),
        ("net_ticktime", "60", TypeError, "net_ticktime= takes a number of seconds, not '60'"),
        ("epmd", "none", ValueError, "epmd= takes 'auto' or None, not 'none'"),
        ("binaries", "str", ValueError, "binaries= takes 'text' or 'bytes', not 'str'"),
        ("none", None, ValueError, "none= takes 'nil' or 'undefined', not None"),
        ("hidden", "no", TypeError, "hidden= takes True or False, not 'no'"),
        ("insecure", 1, TypeError, "insecure= takes True or False, not 1"),
        ("listen", 5, TypeError, "listen= takes an address or a host's name, not 5"),
        ("port", True, TypeError, "port= takes a number from 0 to 65535, and 0 chooses one; not True"),
        ("port", 65_536, ValueError, "port= takes a number from 0 to 65535, and 0 chooses one; not 65536"),
    ],
)
@in_node
def test_a_wrong_option_is_told(option: str, value: object, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind) as error:
        start_distribution("never@127.0.0.1", "cookie", **{option: value})  # type: ignore[arg-type]
    assert str(error.value) == told
    assert node() == "nonode@nohost"
