"""Bodies of the API as types: only what is stored is decoded, and only that is checked."""
