"""What is true: the state of the emulated service, free of any transport."""
