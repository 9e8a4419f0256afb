from __future__ import annotations

from observer.chaos.candidates import Candidates
from tests.support import fake_nodes


async def test_a_worker_that_is_to_be_spared_is_no_candidate() -> None:
    node = fake_nodes.chat()
    everyone = Candidates(node, "", None, 1, lambda row: False)
    await everyone.find(100)
    but_ada = Candidates(node, "", None, 1, lambda row: row.name == "ada")
    await but_ada.find(100)
    assert len(but_ada) == len(everyone) - 1 > 0
    assert all(but_ada.take().name != "ada" for _ in range(len(but_ada)))
