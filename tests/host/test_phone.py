"""The owner's phone: E.164 or refused, before anything is written to a device."""

import pytest
from groundnet.errors import GroundnetError
from groundnet.provision import phone
from groundnet.provision.operation import Order


@pytest.mark.parametrize(
    "typed", ["+8613800000000", "+86 138-0000-0000", "0086 138 0000 0000", "+86 (138) 0000.0000"]
)
def test_phones_have_one_spelling(typed):
    assert phone.normalise(typed) == "+8613800000000"


@pytest.mark.parametrize(
    "typed", ["", "13800000000", "+0123456789", "+86", "+861380000000012345", "+86１３８0000000", "x"]
)
def test_what_is_no_international_number_is_refused(typed):
    with pytest.raises(GroundnetError, match="country code"):
        phone.normalise(typed)


@pytest.mark.parametrize("order", [{"owner_phone": "110"}, {"settings": {"owner_phone": "138 0000"}}])
def test_an_order_with_a_phone_that_nobody_answers_is_never_made(order):
    with pytest.raises(GroundnetError):
        Order("vehicle", **order)
