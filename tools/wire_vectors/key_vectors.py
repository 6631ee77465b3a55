"""Keys: known answers of RFC 4231 and RFC 5869, and what is derived from a device's secret."""

from hand import SECRET, derived, mac, u32, vector


def key_vectors() -> list[dict]:
    found = [
        vector(f"hmac-{number}", "hmac", f"RFC 4231 test case {number}", key=key, message=message, mac=answer)
        for number, key, message, answer in RFC_4231
    ]
    found += [
        vector(
            f"expand-{number}", "hmac", f"RFC 5869 test case A.{number}, T(1)", key=prk, message=info, mac=okm
        )
        for number, prk, info, okm in RFC_5869
    ]
    for label in ("identity", "beacon", "position", "downlink", "session", "report", "check"):
        whole = b"groundnet/1 " + label.encode()
        found.append(
            vector(
                f"derive-{label}", "derive", "CPython hmac", secret=SECRET, label=whole, okm=derived(label)
            )
        )
    found.append(
        vector("check-value", "check_value", "CPython hmac", secret=SECRET, check_value=derived("check")[:8])
    )
    challenge = bytes(range(0x40, 0x50))
    proof = mac(derived("session"), b"provision" + challenge)[:16]
    found.append(
        vector(
            "provision-proof",
            "provision_proof",
            "CPython hmac",
            secret=SECRET,
            challenge=challenge,
            proof=proof,
        )
    )
    for epoch in (0, 1, 0x1234, 2**28 - 1):
        eid = mac(derived("identity"), u32(epoch))[:6]
        found.append(vector(f"eid-{epoch:x}", "eid", "CPython hmac", secret=SECRET, epoch=epoch, eid=eid))
    for counter in (0, 0x12345, 2**32 - 1):
        challenge = mac(derived("downlink"), b"challenge" + u32(counter))[:8]
        found.append(
            vector(
                f"challenge-{counter:x}", "challenge", "CPython hmac", secret=SECRET, counter=counter,
                challenge=challenge,
            )
        )  # fmt: skip
    return found


RFC_4231 = [
    (number, bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(answer))
    for number, key, message, answer in (
        (1, "0b" * 20, b"Hi There".hex(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (2, b"Jefe".hex(), b"what do ya want for nothing?".hex(),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (3, "aa" * 20, "dd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (4, "0102030405060708090a0b0c0d0e0f10111213141516171819", "cd" * 50,
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (5, "0c" * 20, b"Test With Truncation".hex(), "a3b6167473100ee06e0c796c2955552b"),
        (6, "aa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        (7, "aa" * 131,
         b"This is a test using a larger than block-size key and a larger than block-size data. "
         b"The key needs to be hashed before being used by the HMAC algorithm.".hex(),
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    )
]  # fmt: skip

# HKDF-Expand's first block is HMAC(PRK, info | 0x01).
RFC_5869 = [
    (1, bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"),
     bytes.fromhex("f0f1f2f3f4f5f6f7f8f9") + b"\x01",
     bytes.fromhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf")),
    (2, bytes.fromhex("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"),
     bytes(range(0xB0, 0x100)) + b"\x01",
     bytes.fromhex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c")),
    (3, bytes.fromhex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"), b"\x01",
     bytes.fromhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")),
]  # fmt: skip
