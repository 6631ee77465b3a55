"""One test, virtual or on a rig: devices with what may happen to them and what can be seen of them."""
