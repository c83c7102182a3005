"""Files of other products: what each is taken for, what is read in it, and that nothing in one ends in a crash."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Invalid, TooLarge
from app.services import import_formats
from app.services.import_formats import Conversation, Problem, Record, claude, markdown, packages, reading, sessions
from tests.export_files import chatgpt, mem0, zipped
from tests.export_files import claude as claude_chat

LIMIT = 10 * 1024 * 1024

# Without a time in it, which would give its test another name in each process.
PACKED = gzip.compress(b'{"text": "packed"}\n{"text": "twice"}\n', mtime=0)


def items(data: bytes, name: str = "file", wanted: str | None = None, limit: int = LIMIT) -> list[tuple[str, Any]]:
    """What is read in the file."""
    with import_formats.opened(io.BytesIO(data), name, limit) as package:
        return list(import_formats.read(package, wanted))


def texts(found: list[tuple[str, Any]]) -> list[str]:
    """What the memories among it say."""
    return [item.draft.content for _, item in found if isinstance(item, Record)]


def written(value: Any) -> bytes:
    """As JSON."""
    return json.dumps(value).encode()


CHAT = chatgpt("c1", "Sailing", ("system", "be kind"), ("user", "I sail"), ("assistant", "Nice"), ("tool", "42"))
SAID = [{"role": "user", "content": "I sail"}, {"role": "assistant", "content": [{"type": "text", "text": "Nice"}]}]


@pytest.mark.parametrize(
    ("data", "format", "wanted"),
    [
        (written({"results": [mem0()]}), "mem0", ["Prefers window seats"]),
        (written([mem0(), mem0(memory="b")]), "mem0", ["Prefers window seats", "b"]),
        (written({"count": 1, "memories": [mem0()]}), "mem0", ["Prefers window seats"]),
        (written({"agent_id": "a", "memories": [{"content": "x", "tags": ["t"]}]}), "mem9", ["x"]),
        (written({"memories": [{"content": "x"}]}), "json", ["x"]),
        (written(["one", {"text": "two"}, {"content": "three"}, {"fact": "four"}]), "json",
         ["one", "two", "three", "four"]),
        (written({"text": "alone", "tags": "a, b"}), "json", ["alone"]),
        (b'{"text": "a"}\n\n{"memory": "b"}\n', "json", ["a"]),
        (b'"a"\n"b"\n', "json", ["a", "b"]),
        (b"\xef\xbb\xbf" + written(["with a mark"]), "json", ["with a mark"]),
        (b'text,created_at\n"a, b",2024-01-01\nc,\n', "csv", ["a, b", "c"]),
        (b"id;content\n1;a\n", "csv", ["a"]),
        (b"- a\n- b\n", "markdown", ["a", "b"]),
        (b"first line\nsecond line\n", "markdown", ["first line", "second line"]),
        ("\ufeffgr\u00fcn\n".encode("utf-16-le"), "markdown", ["gr\u00fcn"]),
        (PACKED, "json", ["packed", "twice"]),
        (written({"uuid": "p", "name": "Boat", "prompt_template": "Be brief", "description": "A boat"}), "claude",
         ["A boat", "Be brief"]),
        (written([{"conversations_memory": "**Work**\n\nShe sails.\n", "project_memories": {"p": "- A boat"}}]),
         "claude", ["She sails.", "A boat"]),
    ],
)  # fmt: skip
def test_memories_are_known_by_what_is_in_the_file(data: bytes, format: str, wanted: list[str]) -> None:
    found = items(data)
    assert found[0][0] == format
    assert texts(found) == wanted or (format == "json" and texts(found)[: len(wanted)] == wanted)
    assert not [item for _, item in found if isinstance(item, Problem)]


@pytest.mark.parametrize(
    ("data", "format", "roles"),
    [
        (written([CHAT]), "chatgpt", ["user", "assistant"]),
        (written(CHAT), "chatgpt", ["user", "assistant"]),
        (zipped(**{"conversations-000__json": [CHAT], "user__json": {"id": 1}}), "chatgpt", ["user", "assistant"]),
        (written([claude_chat("k", "Boats", ("human", "I sail"), ("assistant", "Nice"))]), "claude",
         ["user", "assistant"]),
        (written({"session_id": "s", "messages": SAID}), "session", ["user", "assistant"]),
        (written(SAID), "session", ["user", "assistant"]),
        ("\n".join(json.dumps({"type": "message", "message": one}) for one in SAID).encode(), "session",
         ["user", "assistant"]),
    ],
)  # fmt: skip
def test_conversations_are_known_by_what_is_in_the_file(data: bytes, format: str, roles: list[str]) -> None:
    ((found, talk),) = items(data)
    assert (found, [one.role for one in talk.messages], talk.messages[0].text) == (format, roles, "I sail")
    assert [one.text for one in talk.said_by_user] == ["I sail"]
    assert talk.id


def test_of_a_tree_only_the_branch_that_was_read_last_counts() -> None:
    broken = {**CHAT, "current_node": "nowhere"}
    loop = json.loads(json.dumps(CHAT))
    loop["mapping"]["n1"]["parent"] = "n2"
    for tree in (broken, loop):
        ((_, talk),) = items(written([tree]))
        assert isinstance(talk, Conversation)
    ((_, talk),) = items(written([CHAT]))
    assert "an abandoned draft" not in [one.text for one in talk.messages]


def test_mem0_keeps_what_it_knows() -> None:
    ((_, found),) = items(written({"results": [mem0()]}))
    assert (found.draft.agent_id, found.draft.run_id, found.draft.categories) == ("planner", "trip-1", ["travel"])
    assert found.draft.created_at.isoformat() == "2024-07-20T08:30:36.275141+00:00"
    assert found.draft.metadata["mem0_user_id"] == "alex"


MARKDOWN = """---
title: mine
---
# Home **sweet**

The cat is called Mia
and sleeps a lot.

* [ ] Buy food
1. Feed her
   - twice

```sh
make

test
```

---

## Work ##

Deploys on Tuesdays.
<!-- not
this -->
"""


def test_markdown_is_read_by_its_lines() -> None:
    found = [item for item in markdown.read("m.md", MARKDOWN) if isinstance(item, Record)]
    assert [(item.draft.content, item.draft.categories) for item in found] == [
        ("The cat is called Mia\nand sleeps a lot.", ["Home **sweet"]),
        ("Buy food", ["Home **sweet"]),
        ("Feed her", ["Home **sweet"]),
        ("twice", ["Home **sweet"]),
        ("```sh\nmake\n\ntest\n```", ["Home **sweet"]),
        ("Deploys on Tuesdays.", ["Work"]),
    ]
    assert [item.where for item in found][:2] == ["m.md, line 6", "m.md, line 9"]


def test_one_bad_record_does_not_end_the_rest() -> None:
    found = items(b'{"text": "a"}\nnot json\n{"other": 1}\n{"text": "b\\u0000c"}\n{"text": "  "}\n')
    assert texts(found) == ["a", "bc"]
    assert [(item.where, item.why) for _, item in found if isinstance(item, Problem)] == [
        ("file, line 2", "not valid JSON"),
        ("file, line 3", "no text in it; it has other"),
        ("file, line 5", "The text is empty"),
    ]
    ((_, long),) = items(written(["a" * 100_001]))
    assert isinstance(long, Problem)


def test_a_format_can_be_insisted_on() -> None:
    assert texts(items(b'["a", "b"]', wanted="markdown")) == ['["a", "b"]']
    assert [type(item) for _, item in items(written([mem0(), "text"]), wanted="mem0")] == [Record, Problem]
    with pytest.raises(Invalid):
        items(b"a", wanted="other")


@pytest.mark.parametrize("name", ["../../etc/notes.md", "/notes.md", "C:\\notes.md"])
def test_paths_that_lead_out_of_a_zip_are_refused(name: str) -> None:
    with pytest.raises(Invalid, match="leads out"):
        items(zipped(**{name: "- a"}))


def test_bombs_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(big__json=b"[" + b'"a",' * 500_000 + b'"a"]')
    with pytest.raises(TooLarge):
        items(bomb, limit=100_000)
    with pytest.raises(TooLarge):
        items(gzip.compress(b"- a\n" * 500_000), limit=100_000)
    monkeypatch.setattr(reading, "MAX_WHOLE", 1_000)
    with pytest.raises(TooLarge):
        items(b"- a\n" * 500)
    monkeypatch.setattr(packages, "MOST_READ", 2)
    with pytest.raises(Invalid, match="3 files"):
        items(zipped(a__md="a", b__md="b", c__md="c"))


def test_many_notes_in_a_zip_are_read_one_by_one() -> None:
    found = items(zipped(a__md="# A\n\none", b__json=["two"], c__png=b"\x89", **{"__MACOSX/d__md": "no"}))
    assert texts(found) == ["one", "two"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["mapping", "current_node", "message", "author", "role", "content", "parts", "chat_messages", "sender",
             "text",
             "memory", "memories", "messages", "results", "metadata", "tags", "categories", "created_at", "uuid", "n1",
             "parent", "prompt_template", "conversations_memory", "project_memories", "name", "id"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


def survives(read: Callable[[], object]) -> None:
    """Whatever is in a file, it is read or refused."""
    with suppress(Invalid):
        read()


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    survives(lambda: items(json.dumps(value).encode()))
    survives(lambda: items(zipped(conversations__json=json.dumps([value, value]))))


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300), start=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b", b"[", b"{", b"# "]))
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    survives(lambda: items(start + data))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_zip_with_a_wrong_byte_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(zipped(conversations__json=[CHAT]))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    survives(lambda: items(bytes(whole)))


@settings(max_examples=100, deadline=None)
@given(notes=st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30), min_size=1, max_size=20))
def test_a_list_of_notes_is_read_as_it_was_written(notes: list[str]) -> None:
    assert texts(items("".join(f"- {note}\n" for note in notes).encode())) == notes
    assert texts(items(written(notes))) == notes


def test_the_names_of_formats_are_unique() -> None:
    names = [shape.name for shape in import_formats.reading.SHAPES]
    assert len(set(names)) == len(names)
    assert {claude.NAME, sessions.NAME, "openmemory"} <= set(import_formats.FORMATS)
    assert zipfile.is_zipfile(io.BytesIO(zipped(a__md="a")))
