"""`groundnet wire` as people and scripts use it."""

import json

import pytest
from groundnet.cli.wire import app
from groundnet.errors import GroundnetError
from groundnet.wire import vectors as golden
from groundnet.wire.assemble import assemble
from groundnet.wire.dissect import Secrets, dissect, message_piece
from typer.testing import CliRunner

SECRET = bytes(range(32)).hex()
VECTORS = golden.load()
GOOD = [vector for vector in VECTORS if "error" not in vector]
LINES = {vector["name"]: vector["line"] for vector in GOOD if vector["op"] == "frame"}
AIR = {vector["name"]: vector for vector in GOOD if "air" in vector}


def run(*arguments: str, text: str | None = None) -> str:
    done = CliRunner().invoke(app, list(arguments), input=text, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def shown(*arguments: str) -> dict | list:
    return json.loads(run("decode", "--json", *arguments))


@pytest.mark.parametrize("name", [*LINES, *AIR])
def test_json_goes_back_to_the_same_bytes(name):
    data = LINES[name] if name in LINES else AIR[name]["air"]
    text = run("decode", "--json", data)
    assert run("encode", "-", text=text).strip() == data


@pytest.mark.parametrize(
    "vector", [v for v in GOOD if v["op"] == "message"], ids=lambda vector: vector["name"]
)
def test_payloads_are_annotated_to_the_last_byte(vector):
    payload = bytes.fromhex(vector["payload"])
    piece = message_piece(vector["kind"], payload)
    assert b"".join(span.data for span in piece.spans) == payload
    offsets = [span.offset for span in piece.spans]
    assert offsets == sorted(offsets)
    assert piece.json["values"] == vector["values"]
    if not vector.get("older"):
        assert assemble(piece.json) == payload


@pytest.mark.parametrize("name", [*LINES, *AIR])
def test_every_byte_of_a_frame_or_beacon_is_annotated(name):
    data = bytes.fromhex(LINES[name] if name in LINES else AIR[name]["air"])
    (piece,) = dissect(data)
    if piece.layer != "frame":
        assert b"".join(span.data for span in piece.spans) == data
    assert piece.spans[0].name == "head"


def test_a_stream_with_garbage_comes_apart_and_together():
    stream = "ffee00" + LINES["frame-sealed"] + "3e3e3e200d" + LINES["frame-zeros"] + "0102"
    pieces = shown(stream)
    assert [piece["layer"] for piece in pieces] == ["garbage", "frame", "garbage", "frame", "garbage"]
    assert assemble(pieces).hex() == stream.replace("ffee0000", "ffee00")


@pytest.mark.parametrize("vector", AIR.values(), ids=AIR)
def test_a_key_checks_the_mac(vector):
    extra = ["--counter", str(vector["counter"])] if vector["op"] == "beacon" else []
    if vector.get("challenge"):
        extra += ["--challenge", vector["challenge"]]
    assert shown(vector["air"], "--key", SECRET, *extra)["verified"] is True
    assert shown(vector["air"], "--key", "00" * 32, *extra)["verified"] is False


def test_a_fix_is_revealed_and_made_again():
    vector = AIR["beacon-fix"]
    found = shown(vector["air"], "--key", SECRET, "--counter", str(vector["counter"]))
    assert list(found["position"].values()) == vector["position"]
    for name in ("eid", "mac", "body", "low", "verified"):
        del found[name]
    assert run("encode", json.dumps(found), "--key", SECRET).strip() == vector["air"]


def test_a_key_from_a_file_and_an_epoch_found_by_searching(tmp_path):
    (tmp_path / "key").write_text(SECRET + "\n")
    found = shown(AIR["beacon-fix-unknowns"]["air"], "--key", f"@{tmp_path / 'key'}")
    assert found["counter"] == AIR["beacon-fix-unknowns"]["counter"]
    far = shown(AIR["beacon-last"]["air"], "--key", SECRET)
    assert far["verified"] is False


def test_commands_are_made_with_a_key():
    vector = AIR["downlink-lost-off"]
    wanted = {"layer": "downlink", "command": "lost_off", "counter": 42, "argument": 0}
    made = run("encode", json.dumps({**wanted, "challenge": vector["challenge"]}), "--key", SECRET)
    assert made.strip() == vector["air"]
    with pytest.raises(GroundnetError, match="no MAC"):
        assemble(wanted)


def test_people_see_fields_and_verdicts():
    text = run("decode", AIR["beacon-plain"]["air"], "--key", "00" * 32)
    assert "motion, lost, listening" in text
    assert "WRONG" in text
    assert "time_ms" in run("decode", "--kind", "time_write", "00000199c66ec000")
    assert "dropped: cobs" in run("decode", LINES["frame-empty"] + "ff00")
    assert json.loads(run("encode", "--json", '{"layer":"garbage","bytes":"00ff"}')) == {"hex": "00ff"}


def test_a_payload_that_does_not_decode_is_shown_as_it_is():
    line = assemble({"layer": "frame", "name": "time_write", "payload": "0102"})
    piece = dissect(line)[0]
    assert piece.json["problem"].startswith("short")
    assert assemble(piece.json) == line


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["decode", "4"], "hex"),
        (["decode", "41"], "no beacon"),
        (["decode", ""], "empty"),
        (["decode", "00", "--kind", "nonsense"], "no message"),
        (["decode", "00", "--kind", "0x1b"], "kind 0x1b"),
        (["decode", AIR["beacon-plain"]["air"], "--key", "00"], "64 hex digits"),
        (["encode", "{"], "not JSON"),
        (["encode", "[]"], "no object with a layer"),
        (["encode", "[1]"], "no object with a layer"),
        (["encode", "{}"], "layer is none of"),
        (["encode", '{"layer":["frame"]}'], "layer is none of"),
        (["encode", '{"layer":"frame"}'], "has no kind"),
        (["encode", '{"layer":"beacon","type":"plain","flags":7}'], "of another kind"),
        (["decode", AIR["beacon-plain"]["air"], "--key", "@/nowhere"], "cannot read"),
        (["encode", '{"layer":"frame","name":"ack","values":{"request":256}}'], "cannot go on the wire"),
        (["encode", '{"layer":"frame","kind":1,"sequence":"x","values":{}}'], "cannot go on the wire"),
        (["encode", '{"layer":"beacon","type":"plain"}'], "has no flags"),
        (["vectors", "--runtime", "pascal"], "no runtime"),
    ],
)  # fmt: skip
def test_bad_input_is_one_cause_and_one_action(arguments, cause):
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, GroundnetError)
    assert cause in done.exception.cause
    assert done.exception.action


def test_secrets_are_not_shown():
    assert SECRET not in repr(Secrets(bytes.fromhex(SECRET)))
    done = CliRunner().invoke(app, ["decode", "41", "--key", SECRET])
    assert SECRET not in done.output + str(done.exception)


def test_keys_in_the_bytes_stay_off_the_screen_unless_asked_for():
    written = {"tag_id": "T", "profile": "vehicle", "install_point": "P", "secret": SECRET}
    wifi = {
        "settings": [{"name": "wifi_name", "value": "barn"}, {"name": "wifi_key", "value": "open sesame"}]
    }
    for name, values, key in (
        ("provision_write", written, " ".join(f"{n:02x}" for n in range(4))),
        ("settings_write", wifi, "open sesame"),
    ):
        line = assemble({"layer": "frame", "name": name, "values": values}).hex()
        assert key not in run("decode", line) and "hidden" in run("decode", line)
        assert key in run("decode", "--show-secrets", line)
        assert run("encode", "-", text=run("decode", "--json", line)).strip() == line


def test_vectors_pass_and_fail(tmp_path):
    assert "0 failed" in run("vectors")
    wrong = {**GOOD[0], "air": "00"} if "air" in GOOD[0] else GOOD[0]
    (tmp_path / "a.jsonl").write_text(json.dumps(wrong) + "\n")
    done = CliRunner().invoke(app, ["vectors", "--folder", str(tmp_path), "--json"])
    assert done.exit_code == 1
    assert len(json.loads(done.output)["failed"]) == 1
    assert CliRunner().invoke(app, ["vectors", "--folder", str(tmp_path)]).exit_code == 1
