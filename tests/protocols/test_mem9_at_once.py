"""mem9's door asked by several at the same moment."""

from concurrent.futures import ThreadPoolExecutor

from tests.protocols.mem9_asking import MEMORIES, Space, contents, pin, turns

AT_ONCE = 6


def test_windows_that_come_at_once_double_nothing(space: Space) -> None:
    client = space()
    words = [f"turn {number}" for number in range(8)]

    def send(shift: int) -> int:
        said = [{"role": "user", "content": word} for word in words[shift % 3 : 6 + shift % 3]]
        return client.post(MEMORIES, json={"messages": said, "session_id": "s1", "sync": True}).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert list(pool.map(send, range(AT_ONCE))) == [200] * AT_ONCE
    assert sorted(turns(client, "s1")) == words
    assert sorted(contents(client, memory_type="session", limit=50)) == words


def test_of_those_who_mean_one_version_one_wins(space: Space) -> None:
    client = space()
    id = pin(client, "first")["id"]

    def put(number: int) -> int:
        headers = {"If-Match": "1", "Prefer": "handling=strict"}
        return client.put(f"{MEMORIES}/{id}", json={"content": f"by {number}"}, headers=headers).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sorted(pool.map(put, range(AT_ONCE))) == [200] + [412] * (AT_ONCE - 1)
    assert client.get(f"{MEMORIES}/{id}").json()["version"] == 2
