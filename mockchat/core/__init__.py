"""The state of the emulated service, free of any transport."""
