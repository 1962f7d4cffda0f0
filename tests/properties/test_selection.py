"""Choosing among streams: whatever they say about themselves, the options that are offered choose one of them alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime_mood.plugins import split
from realtime_mood.sources.marker_words import text_of, texts_of
from realtime_mood.sources.url import LASTING, UNIQUE, choices, distinguishing, with_options

WORDS = st.sampled_from(["", "a", "A", "b c", "&=?/#+%", "ü"])


@st.composite
def streams(draw: st.DrawFn) -> list[dict[str, str]]:
    n = draw(st.integers(1, 5))
    return [{key: draw(WORDS) for key in LASTING} | {"number": str(k)} for k in range(n)]


@given(streams())
def test_every_stream_is_chosen_alone_by_the_shortest_lasting_options(there: list[dict[str, str]]) -> None:
    for one in there:
        options = distinguishing(one, there)
        answering = [it for it in there if all(it[key] == value for key, value in options.items())]
        assert answering == [one]
        if set(options) & set(UNIQUE):  # nothing that lasts would do
            alike = [it for it in there if all(it[key].lower() == one[key].lower() for key in LASTING if one[key])]
            assert len(alike) > 1


@given(streams())
def test_the_urls_say_the_options(there: list[dict[str, str]]) -> None:
    asked = "playback:///a b.xdf?speed=max&number=9"
    for url, one in zip(choices([asked] * len(there), there).split(", or")[0].split(" or "), there, strict=False):
        _, target, query = split(url)
        assert target == "/a b.xdf"
        assert query == {"speed": "max"} | ({"number": "9"} | distinguishing(one, there))


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=5), min_size=1))
def test_options_survive_a_url(options: dict[str, str]) -> None:
    assert split(with_options("lsl://x?a=1&c=2", options))[2] == {"a": "1", "c": "2"} | options


@given(st.binary(max_size=20))
def test_any_bytes_are_a_word_and_text_stays_what_it_was(raw: bytes) -> None:
    assert isinstance(text_of(raw), str)
    assert all(text == text.strip() and text for text in texts_of([raw, raw], "Markers"))


@given(st.text(max_size=20))
def test_text_in_utf8_is_that_text(text: str) -> None:
    assert text_of(text.encode("utf-8", "surrogatepass")) == text or "\ud800" <= max(text) <= "\udfff"
