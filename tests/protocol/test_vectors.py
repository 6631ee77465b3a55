"""Golden vectors: complete, of foreign origin, and agreed with on both interpreters."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from groundnet.errors import GroundnetError
from groundnet.sim.runtime import available_runtimes
from groundnet.wire import vectors as golden
from groundnet.wire.vector_check import check
from groundwire import beacon, downlink, messages

ROOT = Path(__file__).resolve().parents[2]
VECTORS = golden.load()
HAND = sorted((ROOT / "tools" / "wire_vectors").glob("*.py"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_codec_agrees(vector):
    assert check(vector) is None


@pytest.mark.parametrize("runtime", available_runtimes())
def test_the_codec_agrees_on(runtime):
    verdicts = list(golden.run(runtime, VECTORS))
    assert [verdict for verdict in verdicts if verdict.problem] == []
    assert len(verdicts) == len(VECTORS) > 150


def test_a_wrong_vector_is_noticed_on_both():
    wrong = [{**vector, "eid": "000000000000"} for vector in VECTORS if vector["op"] == "eid"] + [
        {**vector, "error": "size"} for vector in VECTORS if vector.get("error") == "short"
    ]
    for runtime in available_runtimes():
        assert all(verdict.problem for verdict in golden.run(runtime, wrong))


def test_every_vector_has_a_name_and_an_origin_of_its_own():
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS)
    assert all(vector["origin"] for vector in VECTORS)


def test_every_message_beacon_type_and_command_has_a_good_vector():
    good = [vector for vector in VECTORS if "error" not in vector]
    kinds = {kind for kind in range(256) if messages.name_of(kind)}
    assert {vector["kind"] for vector in good if vector["op"] == "message" and vector["message"]} == kinds
    assert {vector["type"] for vector in good if vector["op"] == "beacon"} == set(beacon.TYPES)
    commands = {vector["command"] for vector in good if vector["op"] == "downlink"}
    assert commands >= set(range(1, len(downlink.COMMANDS)))


def test_their_origin_is_not_our_codec():
    for path in HAND:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in modules if name.startswith(("groundwire", "groundnet"))], path


def test_the_files_are_what_the_independent_hand_writes(tmp_path):
    script = f"import sys, pathlib; sys.path.insert(0, {str(HAND[0].parent)!r})\n" + (
        "import importlib.util as u\n"
        f"spec = u.spec_from_file_location('writer', {str(HAND[0].parent / '__main__.py')!r})\n"
        "writer = u.module_from_spec(spec); spec.loader.exec_module(writer)\n"
        f"writer.write(pathlib.Path({str(tmp_path)!r}))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    for path in golden.folder().glob("*.jsonl"):
        assert (tmp_path / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def test_missing_and_broken_vectors_are_named(tmp_path):
    with pytest.raises(GroundnetError, match="no vectors"):
        golden.load(tmp_path)
    (tmp_path / "a.jsonl").write_text("{\n")
    with pytest.raises(GroundnetError, match=r"a\.jsonl:1"):
        golden.load(tmp_path)
    with pytest.raises(GroundnetError, match="no runtime 'pascal'"):
        list(golden.run("pascal", VECTORS))
