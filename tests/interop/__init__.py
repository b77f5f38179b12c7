"""Whether calendar programs that people use read our feed as it is meant: `make interop`."""
