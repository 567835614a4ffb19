"""What tests share: a clock to turn by hand, waiting with a deadline, recorded bodies."""
