from __future__ import annotations

from runtime.introspection.console.transcript import MAX_ANSWER, MAX_CHUNK, MAX_CHUNKS, Transcript


def test_what_came_after_a_number_is_read_in_order() -> None:
    transcript = Transcript()
    transcript.write("output", "a")
    transcript.write("value", "b")
    last, dropped, texts = transcript.after(0)
    assert (last, dropped, [(each.kind, each.text) for each in texts]) == (2, 0, [("output", "a"), ("value", "b")])
    assert transcript.after(1)[2] == texts[1:]
    assert transcript.after(2) == (2, 0, ())


def test_only_so_much_is_kept_and_what_was_lost_is_counted() -> None:
    transcript = Transcript()
    for _ in range(MAX_CHUNKS + 5):
        transcript.write("output", "x")
    last, dropped, texts = transcript.after(2)
    assert (last, dropped, len(texts)) == (MAX_CHUNKS + 5, 3, MAX_CHUNKS)


def test_a_long_text_is_cut_and_says_so() -> None:
    transcript = Transcript()
    transcript.write("output", "x" * (MAX_CHUNK + 1_234))
    (text,) = transcript.after(0)[2]
    assert text.text.endswith("… (1,234 more characters)\n")
    assert len(text.text) < MAX_CHUNK + 100


def test_an_answer_is_bounded_and_the_rest_comes_with_the_next() -> None:
    transcript = Transcript()
    for _ in range(100):
        transcript.write("output", "x" * MAX_CHUNK)
    last, dropped, texts = transcript.after(0)
    assert sum(len(each.text) for each in texts) <= MAX_ANSWER
    assert (last, dropped) == (len(texts), 0)
    read = len(texts)
    while texts:
        last, dropped, texts = transcript.after(last)
        assert dropped == 0
        read += len(texts)
    assert read == 100
