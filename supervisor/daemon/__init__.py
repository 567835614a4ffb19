"""The supervisor itself: builds every part, starts and drains them in order, and answers for the whole."""
