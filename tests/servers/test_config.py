"""Configuration files: the examples are complete and load; every mistake is named with its line and key."""
import re
import tomllib
from fnmatch import fnmatch
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from servers import config
from servers.config_example import POLICY, example
from servers.config_lines import line_of
from servers.errors import ConfigurationError
from servers.tables.subscribers_csv import generate


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "server.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def refused(folder: Path, role: str, text: str, mode: int = 0o600) -> str:
    """The one line that a file is refused with, the folder cut off."""
    load = {"fha": config.load_fha, "aaah": config.load_aaah, "policy": config.load_policy}[role]
    with pytest.raises(ConfigurationError) as caught:
        load(written(folder, text, mode))
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def test_the_examples_load(tmp_path: Path) -> None:
    fha = config.load_fha(written(tmp_path, example("fha")))
    assert (str(fha.listen), fha.home_agent) == ("127.0.0.1:434", IPv4Address("127.0.0.1"))
    assert (fha.pool.network, fha.state) == (IPv4Network("198.18.0.0/16"), tmp_path / "fha-state")
    assert fha.aaah[0].secret is not None
    assert fha.aaah[0].secret.octets == b"change-me-16-octets-at-least"
    aaah = config.load_aaah(written(tmp_path, example("aaah")))
    assert (aaah.subscribers, aaah.policy) == (tmp_path / "subscribers.csv", tmp_path / "policy.toml")
    policy = config.load_policy(written(tmp_path, POLICY))
    assert (policy.fha[0].address, policy.fha[0].classes) == (IPv4Address("127.0.0.1"), ["standard"])


def test_the_example_of_a_policy_serves_nodes_as_they_are_generated(tmp_path: Path) -> None:
    policy, made = config.load_policy(written(tmp_path, POLICY)), generate(3)
    for name in made.locations:
        assert any(fnmatch(name, pattern) for pattern in policy.fha[0].nas_identifiers)
    assert set(made.classes) <= set(policy.fha[0].classes)


def test_both_roles_may_share_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, example("fha") + example("aaah"))
    assert config.load_fha(path).aaah[0].address == config.load_aaah(path).listen


@pytest.mark.parametrize(("text", "table", "kind"), [
    (example("fha"), "fha", config.Fha), (example("fha"), "fha.pool", config.Pool),
    (example("fha"), "fha.aaah", config.AaahOfFha), (example("aaah"), "aaah", config.Aaah),
    (example("aaah"), "aaah.client", config.Client), (POLICY, "fha", config.FhaChoice)])
def test_the_examples_show_every_key(text: str, table: str, kind: type[config.Table]) -> None:
    here: object = tomllib.loads(text)
    for part in table.split("."):
        assert isinstance(here, dict)
        here = here[part]
    keys = set(here[0] if isinstance(here, list) else here)  # type: ignore[call-overload]
    assert keys == set(kind.__struct_fields__) - {"secret_file", "static_key", "pools"}


def test_the_examples_show_how_a_server_is_watched(tmp_path: Path) -> None:
    for role in ("aaah", "fha"):
        own, start, rest = example(role).partition("# How it is watched")
        watched, end, policy = (start + rest).partition("\n# policy.toml")
        wanted = re.sub(r"^# (?=\[|\w+ = )", "", watched, flags=re.MULTILINE)
        tables = tomllib.loads(wanted)
        assert {name: set(table) for name, table in tables.items()} == {
            "log": set(config.LogTable.__struct_fields__), "control": set(config.ControlTable.__struct_fields__),
            "metrics": set(config.MetricsTable.__struct_fields__)}
        told = config.load_operation(written(tmp_path, own + wanted + end + policy))
        assert (told.log_format, told.control, str(told.metrics)) == ("text", tmp_path / f"{role}.control", "127.0.0.1:9464")
        assert config.load_operation(written(tmp_path, example(role))) == config.Operation()


def test_a_secret_that_is_no_text_is_not_shown(tmp_path: Path) -> None:
    message = refused(tmp_path, "fha", example("fha").replace('"change-me-16-octets-at-least"', "1234567812345678"))
    assert "fha.aaah[0].secret: expected a string" in message
    assert "12345678" not in message
    key = "[[fha.static_key]]\nspi = 5000\nkey = 1234567812345678\n"
    message = refused(tmp_path, "fha", example("fha") + key)
    assert "fha.static_key[0].key: expected a string" in message
    assert "12345678" not in message


def test_every_default_in_an_example_is_the_true_default(tmp_path: Path) -> None:
    few = """
        [fha]
        listen = "127.0.0.1:434"
        state = "fha-state"
        [fha.pool]
        network = "198.18.0.0/16"
        [[fha.aaah]]
        address = "127.0.0.1:1812"
        secret = "change-me-16-octets-at-least"
    """
    shortest, complete = config.load_fha(written(tmp_path, few)), config.load_fha(written(tmp_path, example("fha")))
    complete.address, complete.dynamic_authorization, complete.pool.reserved = None, None, []
    assert shortest == complete


def with_static_key(text: str) -> str:
    """The example without the # in front of its static key."""
    before, block = text.split("# [[fha.static_key]]\n")
    return before + "[[fha.static_key]]\n" + re.sub("^# ", "", block, count=3, flags=re.MULTILINE)


def test_static_keys(tmp_path: Path) -> None:
    text = with_static_key(example("fha"))
    (known,) = config.load_fha(written(tmp_path, text)).static_key
    assert (known.nai, known.spi, known.key.octets) == ("node@home.example", 4096, bytes(range(16)))
    assert "0001" not in repr(known)
    for key, what in (("00" * 15, "a key has 16 to 32 octets, not 15"), ("0x" * 16, "a key is written in hexadecimal"),
                      ("00" * 33, "a key has 16 to 32 octets, not 33")):
        edited = text.replace("000102030405060708090a0b0c0d0e0f", key)
        assert f"static_key[0].key: {what}" in refused(tmp_path, "fha", edited)
    assert "spi: expected 'int' >= 256" in refused(tmp_path, "fha", text.replace("spi = 4096", "spi = 255"))
    assert "but everyone may read it" in refused(tmp_path, "fha", text, mode=0o644)


def test_further_pools(tmp_path: Path) -> None:
    before, block = example("fha").split("# [[fha.pools]]\n")
    text = before + "[[fha.pools]]\n" + re.sub("^# ", "", block, count=5, flags=re.MULTILINE)
    (pool,) = config.load_fha(written(tmp_path, text)).pools
    assert (pool.name, pool.network, pool.cool_down_s) == ("business", IPv4Network("198.19.0.0/16"), 30)
    for old, new, what in (
            ('"business"', '"default"', r"fha.pools[0].name: there is a pool 'default' already"),
            ('"business"', '"Business"', r"fha.pools[0].name: expected 'str' matching"),
            ("198.19.0.0/16", "198.18.7.0/24", "fha.pools[0].network: 198.18.7.0/24 overlaps 198.18.0.0/16 of the pool 'default'"),
            ("198.19.0.0/16", "127.0.0.0/24", "fha.pools[0].network: 127.0.0.0/24 contains the FHA's own"),
            ("reserved = []", 'reserved = ["10.0.0.1"]', "fha.pools[0].reserved[0]: 10.0.0.1 is not in the pool")):
        assert what in refused(tmp_path, "fha", text.replace(old, new))


EDITS = [
    ("fha", "identification_window_s = 7", "identification_window_s = 2", "identification_window_s: expected 'int' >= 3"),
    ("fha", "identification_window_s = 7", "identification_window_s = 256", "window_s: expected 'int' <= 255"),
    ("fha", '"timestamps"', '"none"', "server.toml:LINE: fha.replay_protection: invalid enum value 'none'"),
    ("fha", "network =", "netwrk =", r"server.toml:LINE: fha.pool.netwrk: unknown key \(did you mean 'network'\?\)"),
    ("fha", 'listen = "127.0.0.1:434"', "", "server.toml:<fha>: fha.listen: is missing"),
    ("fha", "127.0.0.1:434", "localhost:434", "server.toml:LINE: fha.listen: 'localhost' in"),
    ("fha", "127.0.0.1:434", "127.0.0.1:70000", "fha.listen: '70000' in '127.0.0.1:70000' is not a port"),
    ("fha", '"127.0.0.1:434"', "434", "server.toml:LINE: fha.listen: expected a string, got 434"),
    ("fha", "1800", '"long"', "server.toml:LINE: fha.max_lifetime_s: expected 'int', got 'str'"),
    ("fha", "1800", "65535", "server.toml:LINE: fha.max_lifetime_s: expected 'int' <= 65534"),
    ("fha", "workers = 1", "workers = 2", "server.toml:LINE: fha.workers: only 1 worker is supported"),
    ("fha", '"bitmap"', '"random"', "server.toml:LINE: fha.pool.strategy: invalid enum value 'random'"),
    ("fha", "198.18.0.0/16", "198.18.0.1/16", "server.toml:LINE: fha.pool.network: 198.18.0.1/16 has host bits set"),
    ("fha", "198.18.0.0/16", "127.0.0.0/8", "server.toml:LINE: fha.pool.network: 127.0.0.0/8 contains the FHA's"),
    ("fha", "198.18.0.1\"", "10.0.0.1\"", r"server.toml:LINE: fha.pool.reserved\[0\]: 10.0.0.1 is not in the pool"),
    ("fha", "198.18.0.0/16", "224.0.0.0/16", "fha.pool.network: 224.0.0.0/16 is not a network of unicast"),
    ("fha", 'address = "127.0.0.1" ', 'address = "0.0.0.0" ', "server.toml:LINE: fha.address: mobile nodes"),
    ("fha", 'state = "fha-state"', "", "server.toml:<fha>: fha: needs `state"),
    ("fha", "2001:db8:f:1::/64", "2001:db8:f:1::/97", "server.toml:LINE: fha.ipv6_prefix: must leave 32 bits"),
    ("fha", "secret =", "secret_file = 'x' #", "x: cannot be read: No such file"),
    ("fha", "secret =", "#", r"server.toml:<<fha.aaah>>: fha.aaah\[0\]: needs either"),
    ("fha", "secret =", "secret_file = 'x'\nsecret =", r"server.toml:<<fha.aaah>>: fha.aaah\[0\]: needs either"),
    ("fha", '"change-me-16-octets-at-least"', '""', r"server.toml:LINE: fha.aaah\[0\].secret: a shared secret"),
    ("fha", "[fha]", "[fha", "server.toml: is not TOML: .*line 4"),
    ("fha", "[fha]", "[fhb]", "server.toml:LINE: fhb: unknown key"),
    ("aaah", '"127.0.0.0/9"', '"::/0"', r"server.toml:LINE: aaah.client\[0\].network: "),
    ("aaah", '["nas", "fha"]', '["nas", "ha"]', r"server.toml:LINE: aaah.client\[0\].roles\[1\]: invalid enum value"),
    ("aaah", '["nas", "fha"]', "[]", r"server.toml:LINE: aaah.client\[0\].roles: expected 'array' of length >= 1"),
    ("aaah", "session_timeout_s = 7200", "session_timeout_s = 6", "LINE: aaah.session_timeout_s: expected 'int' >= 60"),
    ("aaah", "100:0:ffff::1", "100::1", "server.toml:LINE: aaah.home_agent: 2001:db8:100::1 is among the home addr"),
    ("fha", "fha1.access", "fh\u00e4.access", "server.toml:LINE: fha.nas_identifier: expected 'str' matching"),
    ("fha", '"change-me-16-octets-at-least"', f'"{"x" * 256}"', "secret: a shared secret has 1 to 255 octets, not 256"),
    ("aaah", "2001:db8:100::/64", "2001:db8:100::/100", "server.toml:LINE: aaah.ipv6_home_prefix: must leave 32"),
    ("policy", "healthy = true", "healthy = false", "server.toml: names no healthy FHA"),
    ("policy", "weight = 1", "weight = 0", r"server.toml:LINE: fha\[0\].weight: expected 'int' >= 1"),
]


@pytest.mark.parametrize(("role", "old", "new", "message"), EDITS)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, role: str, old: str, new: str, message: str) -> None:
    text = POLICY if role == "policy" else example(role)
    assert old in text
    edited = text.replace(old, new)
    place = text.index(old)
    if header := re.search(r"<+([\w.]+)>+", message):  # the mistake is shown at its table's header
        place = edited.index(f"\n[{header[1]}]") + 1 if header[0].count("<") == 1 else edited.index(f"[[{header[1]}]]")
        message = message.replace(header[0], "LINE")
    line = edited.count("\n", 0, place) + 1
    assert re.search(message.replace("LINE", str(line)), refused(tmp_path, role, edited))


def test_tables_that_are_needed(tmp_path: Path) -> None:
    assert refused(tmp_path, "aaah", example("fha")) == "server.toml: has no table [aaah]"
    assert refused(tmp_path, "fha", example("aaah")) == "server.toml: has no table [fha]"
    assert refused(tmp_path, "fha", "") == "server.toml: has no table [fha]"
    assert refused(tmp_path, "policy", "") == \
        "server.toml: names no healthy FHA; it needs at least one [[fha]] with healthy = true"
    without = example("fha").partition("[[fha.aaah]]")[0]
    assert "server.toml:4: fha: has no server to ask" in refused(tmp_path, "fha", without)
    without = example("aaah").partition("[[aaah.client]]")[0]
    assert "server.toml:4: aaah: has no client" in refused(tmp_path, "aaah", without)


def another_aaah(port: int) -> str:
    return f'[[fha.aaah]]\naddress = "127.0.0.1:{port}"\nsecret = "another-secret-of-ours"\n'


def test_several_aaahs_in_order_of_preference(tmp_path: Path) -> None:
    text = example("fha") + "".join(map(another_aaah, range(1813, 1820)))
    fha = config.load_fha(written(tmp_path, text))
    assert [server.address.port for server in fha.aaah] == list(range(1812, 1820))
    assert {server.require_message_authenticator for server in fha.aaah} == {"yes"}
    assert config.weaknesses(fha.aaah) == []
    assert refused(tmp_path, "fha", text + another_aaah(1820)).endswith(": fha.aaah[8]: more than 8 servers")
    again = example("fha") + another_aaah(1812)
    assert refused(tmp_path, "fha", again) == \
        f"server.toml:{again.count(chr(10)) - 1}: fha.aaah[1].address: 127.0.0.1:1812 is listed twice"
    assert "fha.aaah[1].address: nobody can be asked at" in refused(tmp_path, "fha", example("fha") + another_aaah(0))


@pytest.mark.parametrize(("rule", "said"), [("auto", "until the first one that has it; they can"), ("no", "taken; they can")])
def test_answers_that_may_be_forged_are_warned_of(tmp_path: Path, rule: str, said: str) -> None:
    text = example("fha").replace('require_message_authenticator = "yes"', f'require_message_authenticator = "{rule}"')
    (warning,) = config.weaknesses(config.load_fha(written(tmp_path, text)).aaah)
    assert warning.startswith("127.0.0.1:1812: answers without Message-Authenticator")
    assert said in warning


def test_what_the_tables_of_the_aaah_cannot_hold_is_refused(tmp_path: Path) -> None:
    more = "".join(f'[[aaah.client]]\nnetwork = "10.0.{i}.0/24"\nsecret = "another-secret"\n' for i in range(64))
    assert refused(tmp_path, "aaah", example("aaah") + more).endswith(": aaah.client[64]: more than 64 clients")
    names = ["n" * 63] * 4
    text = f'[[fha]]\naddress = "127.0.0.1"\nnas_identifiers = {names}\n'
    assert config.load_policy(written(tmp_path, text))
    assert refused(tmp_path, "policy", text.replace("['n", "['nn")) == \
        "server.toml:3: fha[0].nas_identifiers: more than 255 octets in all"
    assert refused(tmp_path, "policy", '[[fha]]\naddress = "127.0.0.1"\n' * 33).endswith(": fha[32]: more than 32 FHAs")


def test_a_client_listed_twice_is_named_with_the_second_line(tmp_path: Path) -> None:
    again = '\n[[aaah.client]]\nnetwork = "127.0.0.0/9"\nsecret = "another-secret-of-ours"\n'
    text = example("aaah") + again
    assert refused(tmp_path, "aaah", text) == \
        f"server.toml:{text.count(chr(10)) - 1}: aaah.client[1].network: 127.0.0.0/9 is listed twice"


def test_secrets_that_everyone_may_read_are_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, "fha", example("fha"), 0o644)
    assert message.startswith("server.toml: holds secrets but everyone may read it; run: chmod 600 ")
    (tmp_path / "secret").write_text("from-a-file-of-its-own\n")
    (tmp_path / "secret").chmod(0o600)
    text = example("fha").replace('secret = "change-me-16-octets-at-least"', 'secret_file = "secret"')
    fha = config.load_fha(written(tmp_path, text, 0o644))
    assert fha.aaah[0].secret is not None
    assert fha.aaah[0].secret.octets == b"from-a-file-of-its-own"


def test_secrets_are_never_shown_and_short_ones_are_warned_of(tmp_path: Path) -> None:
    fha = config.load_fha(written(tmp_path, example("fha")))
    assert "change-me" not in repr(fha)
    assert config.weaknesses(fha.aaah) == []
    fha = config.load_fha(written(tmp_path, example("fha").replace("change-me-16-octets-at-least", "tiny")))
    assert "4 octets" in config.weaknesses(fha.aaah)[0]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none.toml: cannot be read: No such file"):
        config.load_fha(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xff\n")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        config.load_fha(tmp_path / "latin.toml")


def test_lines_of_keys() -> None:
    text = '[a]\nb = 1\n[a.c]\n"d" = 2\n[[a.e]]\nf = 1\n[[a.e]]\nf = 2\n[a.e.g]\nh = 1\nx.y = 3 # z = 4\n'
    assert [line_of(text, key) for key in
            ("a", "a.b", "a.c", "a.c.d", "a.e[0]", "a.e[1].f", "a.e[1].g.h", "a.e[1].g.x.y", "a.c.none", "none")] == \
        [1, 2, 3, 4, 5, 8, 10, 11, 3, None]
