from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.errors import HomeError
from homellm_edge.home import home_from_dict, load_home
from homes import DATA, sample_home


def test_lookups_and_members() -> None:
    home = sample_home()
    assert home.entity("light.kitchen") is not None
    assert home.entity("light.nothing") is None
    assert {e.entity_id for e in home.members("ground")} >= {"light.kitchen"}
    assert [e.entity_id for e in home.members("garage")] == ["cover.garage_door"]
    assert home.find_area("CAR PORT") == home.area("garage")


def test_with_state_leaves_the_old_home_alone() -> None:
    home = sample_home()
    changed = home.with_state("light.kitchen", "on", {"brightness": 9})
    assert home.entity("light.kitchen").state == "off"  # type: ignore[union-attr]
    entity = changed.entity("light.kitchen")
    assert entity is not None
    assert (entity.state, entity.attributes["brightness"]) == ("on", 9)


def test_yaml_and_json_give_the_same_home(tmp_path: Path) -> None:
    plain = tmp_path / "home.json"
    plain.write_text(json.dumps(DATA), encoding="utf-8")
    yaml = tmp_path / "home.yaml"
    yaml.write_text(
        "entities:\n- {entity_id: light.a, name: A, state: on}\n", encoding="utf-8"
    )
    assert load_home(plain) == sample_home()
    assert load_home(yaml).entities[0].state == "on"  # not the boolean that YAML reads


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "empty"),
        (b"{", "not valid JSON at line 1"),
        (b"a: [", "neither YAML nor JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"- 1\n", "a home is a mapping, not a list"),
        (b"{}", "the key entities is missing"),
        (b'{"entities": {}}', "entities is a mapping"),
        (b'{"entities": [1]}', "entities[1] is a number"),
        (b'{"entities": [{"name": "x"}]}', "entity_id is missing"),
        (b'{"entities": [{"entity_id": "Light.X"}]}', "malformed entity id"),
        (
            b'{"entities": [{"entity_id": "light.x"}, {"entity_id": "light.x"}]}',
            "occurs twice",
        ),
        (
            b'{"entities": [{"entity_id": "light.x", "attributes": 3}]}',
            "attributes are a number",
        ),
        (
            b'{"entities": [{"entity_id": "light.x", "aliases": "y"}]}',
            "aliases is a text",
        ),
        (b'{"entities": [], "areas": [{"id": "a"}]}', "name is missing"),
        (
            b'{"entities": [], "floors": [{"id": "a", "name": "A", "level": "x"}]}',
            "level is a text",
        ),
    ],
)
def test_a_bad_home_file_is_named_with_its_fault(
    tmp_path: Path, content: bytes, cause: str
) -> None:
    path = tmp_path / "home.yaml"
    path.write_bytes(content)
    with pytest.raises(HomeError) as caught:
        load_home(path)
    assert cause in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.cure


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path, cause in ((tmp_path / "no", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(HomeError, match=cause):
            load_home(path)


def test_an_unknown_domain_is_kept() -> None:
    home = home_from_dict({"entities": [{"entity_id": "spaceship.one", "state": "?"}]})
    assert home.entities[0].name == "one"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["entities", "areas", "floors", "entity_id", "id", "name", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(_JSON)
def test_any_data_is_a_home_or_a_clear_error(data: object) -> None:
    cure = "none was needed"
    try:
        home_from_dict(data)
    except HomeError as err:
        cure = err.cure
    assert cure
