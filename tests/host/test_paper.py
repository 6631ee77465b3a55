"""Labels, receipts and cards: what is on them, and that the code on paper is the device's."""

from datetime import datetime
from io import BytesIO

import pytest
from groundnet.provision import label, tag_id
from groundnet.provision.paper import labels, owner_slip, qr_code, receipt
from groundnet.provision.paper.drawing import Page, wrapped
from groundnet.provision.paper.labels import Sheet, SheetError, TagLabel

TAG = TagLabel(bytes.fromhex("0000a4cf12345678"), tag_id.make(1))
TERMS = receipt.Terms("城北安装点", "110", (("未找回按约定赔付。", "Paid when it is not found."),))
RECEIPT = receipt.Receipt(TAG, "vehicle", "云A12345", datetime(2026, 11, 23, 9, 30), "07", TERMS)


def test_the_code_is_a_version_3_square_with_its_three_finders():
    squares = qr_code.squares(TAG.payload)
    assert len(squares) == 29 and all(len(row) == 29 for row in squares)
    finder = [
        [x in (0, 6) or y in (0, 6) or (2 <= x <= 4 and 2 <= y <= 4) for x in range(7)] for y in range(7)
    ]
    for left, top in ((0, 0), (22, 0), (0, 22)):
        assert [row[left : left + 7] for row in squares[top : top + 7]] == finder
    assert sum(count for _, _, count in qr_code.runs(TAG.payload)) == sum(map(sum, squares))


def test_a_label_never_says_more_than_the_id():
    assert label.decode(TAG.payload) == label.Label(TAG.device_id)


def test_the_same_receipt_is_the_same_file():
    files = [BytesIO(), BytesIO()]
    for file in files:
        receipt.write_receipt(file, RECEIPT)
    assert files[0].getvalue() == files[1].getvalue() and files[0].getvalue().startswith(b"%PDF")


def test_a_card_has_two_pages_and_a_full_sheet_goes_on():
    card, sheet = BytesIO(), BytesIO()
    receipt.write_card(card, RECEIPT)
    assert card.getvalue().count(b"/Type /Page\n") == 2
    assert labels.write_sheet(sheet, [TAG] * 41) == 2
    assert labels.write_sheet(BytesIO(), [TAG] * 40, Sheet(first=1)) == 2


@pytest.mark.parametrize("layout", [Sheet(columns=5), Sheet(rows=11), Sheet(label_mm=(52.5, 15))])
def test_a_layout_that_cannot_be_printed_is_refused(layout):
    with pytest.raises(SheetError):
        labels.write_sheet(BytesIO(), [TAG], layout)


def test_a_thermal_printer_gets_payload_and_number():
    text = labels.zpl(TAG, copies=2)
    assert f"^FDMA,{TAG.payload}^FS" in text and f"^FD{TAG.tag_id}^FS" in text
    assert text.startswith("^XA") and text.rstrip().endswith("^XZ") and "^PQ2" in text


def test_long_terms_are_wrapped_without_a_loss():
    text = "被盗后未找回的，凭报案证明和购车发票按折旧价值赔付。 Paid with the police certificate, within sixty days."
    lines = wrapped(text, 120, 9)
    assert len(lines) > 3 and "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_terms_need_both_languages(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("# ours\n\n赔付 | Payout\n", encoding="utf-8")
    assert receipt.read_terms(path) == (("赔付", "Payout"),)
    path.write_text("赔付\n", encoding="utf-8")
    with pytest.raises(receipt.TermsError, match="line 1"):
        receipt.read_terms(path)


def test_the_owners_slip_says_token_tags_and_what_they_are_for(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(Page, "text", lambda page, x_mm, y_mm, text, *more: drawn.append(text))
    owner_slip.hand_over(tmp_path / "slip.pdf", [TAG.tag_id], lambda: "7K2M9-AAAAA-BBBBB-CCCCC")
    assert "7K2M9-AAAAA-BBBBB-CCCCC" in drawn and TAG.tag_id in drawn
    said = "".join(drawn).replace(" ", "")
    for pair in owner_slip.WHAT_FOR:
        assert all(text.replace(" ", "") in said for text in pair)


def test_no_token_is_made_when_the_slip_cannot_be_written(tmp_path):
    with pytest.raises(owner_slip.SlipError, match="cannot be written"):
        owner_slip.hand_over(tmp_path / "no" / "slip.pdf", [TAG.tag_id], lambda: pytest.fail("made"))


def test_no_file_is_left_when_no_token_can_be_made(tmp_path):
    def refuse():
        raise RuntimeError("locked")

    with pytest.raises(RuntimeError):
        owner_slip.hand_over(tmp_path / "slip.pdf", [TAG.tag_id], refuse)
    assert list(tmp_path.iterdir()) == []
